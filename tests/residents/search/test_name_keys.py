"""What the database holds of names besides the sealed name."""

import re

import pytest
from pytest_django import Settings

from residents.search import name_keys
from residents.search.name_keys import TypedName
from tests.factories import make_resident

LONGEST = "阿布都热合曼·" * 7  # nearly fifty characters


class TestTheColumns:
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("张伟明", "zhang"),
            ("欧阳明", "ou"),
            ("尉迟恭", "yu"),
            ("单田芳", "shan"),
            ("John Smith", "j"),
            ("𠮷野", "ji"),
        ],
    )
    def test_are_ordered_by_what_a_masked_name_shows(self, name: str, key: str) -> None:
        assert name_keys.columns(name).key == key

    def test_are_equal_for_names_that_sound_alike(self) -> None:
        assert name_keys.columns("张伟").hash == name_keys.columns("章玮").hash
        assert name_keys.columns("张伟").hash != name_keys.columns("张伟明").hash

    @pytest.mark.parametrize(
        ("name", "most"),
        [("张伟", 8), ("张伟明", 12), ("欧阳重行", 28), ("José Núñez", 20), (LONGEST, 150)],
    )
    def test_are_few_short_hashes(self, name: str, most: int) -> None:
        words = name_keys.columns(name).words.split()

        assert len(words) <= most
        assert all(re.fullmatch("'[0-9a-f]{8}'", word) for word in words)

    def test_are_others_by_another_key(self, settings: Settings) -> None:
        before = name_keys.columns("张伟明")
        settings.SEARCH_KEYS = ["another"]
        after = name_keys.columns("张伟明")

        assert before.key == after.key
        assert before.hash != after.hash
        assert not set(before.words.split()) & set(after.words.split())

    @pytest.mark.django_db
    def test_are_given_back_as_they_were_stored(self) -> None:
        resident = make_resident(name="尉迟重行")
        stored = resident.name_words
        resident.refresh_from_db()

        assert resident.name_words == stored == name_keys.columns("尉迟重行").words


class TestWhatWasTyped:
    @pytest.mark.parametrize(
        ("name", "typed"),
        [
            ("张伟明", TypedName("", "zhangwei")),
            ("张伟明", TypedName("伟明", "")),
            ("张伟明", TypedName("张", "wm")),
            ("尉迟恭", TypedName("", "weichig")),
            ("李重行", TypedName("", "lizhonghang")),
        ],
    )
    def test_fits_some_names(self, name: str, typed: TypedName) -> None:
        assert typed.fits(name)

    @pytest.mark.parametrize(
        "typed",
        [
            TypedName("", "zhangweiming"),
            TypedName("", "chwm"),
            TypedName("张伟", ""),
            TypedName("张", "wm"),
        ],
    )
    def test_fits_no_others(self, typed: TypedName) -> None:
        assert not typed.fits("赵伟明")
