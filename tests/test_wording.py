"""All Chinese texts keep to one language: the glossary's words, the house's marks and spaces."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from ruamel.yaml import YAML

from tests.wording import MARKS, WORDS, Line, Rule, lines, refused

DOCUMENTS = sorted((Path(settings.BASE_DIR) / "policy" / "documents").glob("*.yaml"))


class TestEveryChineseText:
    def test_keeps_to_the_words_and_marks_of_the_house(self) -> None:
        found = [sentence for line in lines() for sentence in refused(line)]
        if found:
            pytest.fail("\n".join(found), pytrace=False)

    def test_is_looked_at_wherever_it_stands(self) -> None:
        seen = {line.path.partition("/")[0] for line in lines()}
        assert seen == {"locale", "policy", "portal", "README.zh-CN.md", "docs"}


class TestARule:
    @pytest.mark.parametrize("rule", [*WORDS, *MARKS], ids=lambda rule: rule.broken)
    def test_refuses_its_broken_text_and_says_what_to_write(self, rule: Rule) -> None:
        told = "\n".join(refused(Line("texts.po", 7, rule.broken)))
        assert told.startswith("texts.po:7: ")
        assert f"write {rule.instead or 'nothing'} ({rule.why})" in told

    @pytest.mark.parametrize("rule", [*WORDS, *MARKS], ids=lambda rule: rule.sound)
    def test_accepts_the_sound_one(self, rule: Rule) -> None:
        assert list(refused(Line("texts.po", 7, rule.sound))) == []

    def test_leaves_a_notice_its_verb_in_a_summary(self) -> None:
        verb = "提倡非必要不参加聚餐"
        assert list(refused(Line("one.yaml", 1, verb, "document"))) == []
        assert list(refused(Line("texts.po", 1, verb))) != []


class TestWhyAClauseNeedsNoProvision:
    @pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
    def test_names_a_page_only_where_there_is_one(self, path: Path) -> None:
        document = YAML(typ="safe").load(path)
        for line in document.get("no_provision", []):
            named = re.search("[见由].*页", line["why"]["zh"]) or " page " in line["why"]["en"]
            assert bool(named) <= (line.get("page") in settings.CLAUSE_PAGES), line
