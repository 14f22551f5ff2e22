import re

import pytest

from residents.pinyin import mixed_query, name_key, search_text


@pytest.mark.parametrize(
    ("name", "sorts_as"),
    [
        ("单田芳", "shantianfang"),
        ("曾小明", "zengxiaoming"),
        ("仇英", "qiuying"),
        ("解缙", "xiejin"),
        ("尉迟恭", "yuchigong"),
        ("万俟卨", "moqi"),
        ("John Smith", "johnsmith"),
        ("José", "jose"),
        ("吕布", "lvbu"),
    ],
)
def test_a_name_sorts_by_the_reading_of_its_surname(name: str, sorts_as: str) -> None:
    assert name_key(name).startswith(sorts_as)


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("单田芳", "dantian"),
        ("单田芳", "STF"),
        ("单田芳", "Shan Tian"),
        ("吕布", "lǚ bù"),
        ("吕布", "lv"),
        ("阿卜杜拉·买买提", "maimaiti"),
    ],
)
def test_a_name_is_found_by_every_reading_and_by_its_initials(name: str, typed: str) -> None:
    assert search_text(typed) in name_key(name)


def test_han_characters_are_no_pinyin() -> None:
    assert search_text("张") == ""


@pytest.mark.parametrize(
    ("typed", "fits", "does_not"),
    [
        ("zhangwm", "张伟明", "赵伟明"),
        ("zhwm", "张伟明", "左伟明"),
        ("zwei", "张伟", "张文"),
        ("lsx", "李淑贤", ""),
    ],
)
def test_syllables_and_initials_may_be_mixed(typed: str, fits: str, does_not: str) -> None:
    _words, pattern = mixed_query(typed)

    if pattern:
        assert re.search(pattern, name_key(fits))
        assert not re.search(pattern, name_key(does_not).split("|")[0])
    else:
        assert typed in name_key(fits)
