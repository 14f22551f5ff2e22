"""Every word of the closed vocabularies has a name in both languages."""

from typing import Any

import pytest

from policy.engine.calendars.plans import Force, Movement
from policy.engine.decisions.facts import Clinical, Exposure, Risk, Setting
from policy.engine.documents import schema
from policy.engine.documents.schema import words_of
from policy.engine.text import Text
from policy.engine.wording import vocabulary

TABLES: list[tuple[Any, tuple[str, ...]]] = [
    (vocabulary.SETTINGS, words_of(Setting)),
    (vocabulary.MOVEMENTS, words_of(Movement)),
    (vocabulary.FORCES, words_of(Force)),
    (vocabulary.SUBJECTS, schema.SUBJECTS),
    (vocabulary.DUTIES, words_of(schema.Duty)),
    (vocabulary.PAGES, words_of(schema.Page)),
    (vocabulary.EXPOSURES, words_of(Exposure)),
    (vocabulary.CLINICAL, words_of(Clinical)),
    (vocabulary.RISKS, words_of(Risk)),
    (vocabulary.VENUES, words_of(schema.Venue)),
    (vocabulary.ROLES, words_of(schema.Role)),
    (vocabulary.CHECKS, words_of(schema.Check)),
    (vocabulary.POSTS, words_of(schema.Post)),
    (vocabulary.LEVELS, words_of(schema.Level)),
    (vocabulary.RELATIONS, words_of(schema.Relation)),
    (vocabulary.GATHERINGS, words_of(schema.Gathering)),
    (vocabulary.GATHERING_DUTIES, words_of(schema.GatheringDuty)),
    (vocabulary.WHITELIST_POSTS, words_of(schema.WhitelistPost)),
    (vocabulary.WHITELIST_DUTIES, words_of(schema.WhitelistDuty)),
    (vocabulary.CONDITIONS, words_of(schema.Condition)),
    (vocabulary.CATEGORIES, words_of(schema.Category)),
    (
        vocabulary.OUTINGS,
        (
            *words_of(schema.OutingPurpose),
            *words_of(schema.OutingVehicle),
            *words_of(schema.OutingMask),
        ),
    ),
]


class TestAVocabulary:
    @pytest.mark.parametrize(("table", "words"), TABLES)
    def test_names_each_word_of_the_schema_and_no_other(
        self, table: dict[str, Text], words: tuple[str, ...]
    ) -> None:
        assert set(table) == set(words)

    @pytest.mark.parametrize(("table", "words"), TABLES)
    def test_names_no_two_alike(self, table: dict[str, Text], words: tuple[str, ...]) -> None:
        assert len({text.zh for text in table.values()}) == len(words)
        assert len({text.en for text in table.values()}) == len(words)
