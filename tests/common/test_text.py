from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from django import forms
from django.core.exceptions import ValidationError
from django.urls import get_resolver
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st

from common.text import TextField, readable, tidy, without_apostrophe

ROOT = Path(__file__).resolve().parents[2]
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def kinds_of(form: type[forms.Form]) -> Iterator[type[forms.Form]]:
    for kind in form.__subclasses__():
        yield kind
        yield from kinds_of(kind)


class TestAText:
    @given(ANY_TEXT)
    def test_is_refused_or_can_be_stored_and_stays_as_it_is(self, text: str) -> None:
        try:
            kept = readable(text)
        except ValidationError:
            assert any("\ud800" <= character <= "\udfff" for character in text)
            return

        assert kept.encode().decode() == kept
        assert readable(kept) == kept
        assert tidy(tidy(kept)) == tidy(kept)
        assert "\x00" not in kept

    def test_is_joined_from_two_halves(self) -> None:
        assert readable("\ud842\udfb7") == "𠮷"

    def test_of_half_a_character_is_refused_with_a_sentence(self) -> None:
        with translation.override("en"), pytest.raises(ValidationError, match="half a character"):
            readable("a\ud800")

    @pytest.mark.parametrize(
        "typed",
        [
            "\u202d110\u202c",
            "1\u200b10",
            "\ufeff110",
            "11\x00\x1f0",
            "\u2066110\u2069",
            "1\u061c10",
        ],
    )
    def test_loses_what_is_invisible(self, typed: str) -> None:
        assert readable(typed) == "110"

    @pytest.mark.parametrize("name", ["葛\U000e0100城", "\ufa10\U0002f800", "a\nb", "“，”"])
    def test_keeps_what_has_a_meaning(self, name: str) -> None:
        assert readable(name) == name

    def test_loses_the_apostrophe_of_spreadsheets(self) -> None:
        assert without_apostrophe("\u200e'0591") == "0591"
        assert without_apostrophe("d'Arc") == "d'Arc"


class TestAField:
    @given(ANY_TEXT, st.booleans())
    def test_is_no_longer_than_its_column(self, text: str, tidied: bool) -> None:
        field = TextField(tidied=tidied, max_length=20, required=False)
        with suppress(ValidationError):
            assert len(field.clean(text)) <= 20

    def test_counts_what_normalising_makes_longer(self) -> None:
        with pytest.raises(ValidationError):
            TextField(tidied=True, max_length=50).clean("…" * 17)

    def test_of_nothing_visible_is_empty(self) -> None:
        with translation.override("en"), pytest.raises(ValidationError, match="required"):
            TextField().clean("\u200b \u200e")


def of_this_house(kind: type) -> bool:
    folder = kind.__module__.split(".")[0]
    return folder != "tests" and (ROOT / folder).is_dir()


class TestEveryForm:
    def test_takes_text_by_this_door(self) -> None:
        assert get_resolver().url_patterns  # the views, and so their forms, are there
        others = [
            f"{form.__module__}.{form.__name__}.{name}"
            for form in filter(of_this_house, kinds_of(forms.Form))
            for name, field in form.base_fields.items()
            if isinstance(field, forms.CharField) and not isinstance(field, TextField)
            if type(field) is forms.CharField or of_this_house(type(field))
            if not isinstance(field.widget, forms.PasswordInput)  # taken as typed
        ]

        assert others == []
