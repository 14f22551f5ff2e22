import pytest

from common.pinyin import (
    contains_syllables,
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
