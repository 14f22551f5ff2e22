import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.pinyin import (
    contains_syllables,
    han_characters,
    plain_letters,
    search_text,
    segmentations,
    spelling_of,
    starts_with_letters,
    usual_spelling,
)


@pytest.mark.parametrize(
    ("name", "letters"),
    [
        ("单田芳", "shantianfang"),
        ("曾小明", "zengxiaoming"),
        ("仇英", "qiuying"),
        ("解缙", "xiejin"),
        ("尉迟恭", "yuchigong"),
        ("万俟卨", "moqixie"),
        ("John Smith", "johnsmith"),
        ("José", "jose"),
        ("吕布", "lvbu"),
    ],
)
def test_a_name_is_spelt_with_the_reading_of_its_surname(name: str, letters: str) -> None:
    assert usual_spelling(spelling_of(name)) == letters


def test_only_the_surname_and_listed_characters_have_several_readings() -> None:
    assert spelling_of("单明乐") == (("shan", "dan", "chan"), ("ming",), ("le", "yue"))


def test_han_characters_are_no_pinyin() -> None:
    assert search_text("张") == ""


@pytest.mark.parametrize(
    ("typed", "fits", "does_not"),
    [
        ("zhangwm", "张伟明", "赵伟明"),
        ("zhwm", "张伟明", "左伟明"),
        ("zwei", "张伟", "张文"),
        ("lsx", "李淑贤", "李贤淑"),
        ("zhangxi", "张晓", "张伟"),
        ("lue", "略文", "陆文"),
        ("lubu", "吕布", "吕文"),
        ("xian", "西安", "西宁"),
        ("dantian", "单田芳", "丹芳田"),
    ],
)
def test_syllables_and_initials_may_be_mixed_and_the_last_be_half_typed(
    typed: str, fits: str, does_not: str
) -> None:
    assert any(contains_syllables(spelling_of(fits), way) for way in segmentations(typed))
    assert not any(contains_syllables(spelling_of(does_not), way) for way in segmentations(typed))


def test_words_in_latin_letters_may_be_half_typed() -> None:
    assert starts_with_letters(spelling_of("José Núñez"), "nun")
    assert not starts_with_letters(spelling_of("José Núñez"), "unez")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Trần Đức Lương", "tranducluong"),
        ("Guðmundsdóttir", "gudmundsdottir"),
        ("Łukasz", "lukasz"),
        ("Øystein", "oystein"),
        ("Þór Æsa", "thoraesa"),
        ("Weiß", "weiss"),
        ("Ħabib Ŋoma", "habibngoma"),
        ("Müller", "muller"),
    ],
)
def test_names_in_any_latin_letters_are_found_as_typed_and_in_plain_ones(
    name: str, plain: str
) -> None:
    spelling = spelling_of(name)

    assert plain_letters(name) == plain
    assert starts_with_letters(spelling, plain)


@given(
    st.characters(categories=["Ll", "Lu"]).filter(
        lambda c: unicodedata.name(c, "").startswith("LATIN ")
    )
)
def test_every_latin_letter_has_plain_ones(letter: str) -> None:
    assert re.fullmatch("[a-z]+", plain_letters(f"a{letter}"))
    assert starts_with_letters(spelling_of(f"A{letter}a"), plain_letters(f"A{letter}a"))


@pytest.mark.parametrize(("name", "usual"), [("李𠮷", "李吉"), ("髙峯", "高峰")])
def test_variants_of_a_character_are_one_in_a_search(name: str, usual: str) -> None:
    assert han_characters(name) == usual
    assert spelling_of(name) == spelling_of(usual)
