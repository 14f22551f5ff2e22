"""Names spelt in pinyin, to sort and to find them by."""

import re
import unicodedata
from functools import lru_cache

from pypinyin import Style, lazy_pinyin
from pypinyin.constants import PHRASES_DICT

_COMMON_HAN = re.compile("[\u4e00-\u9fa5]*")
_WORD = re.compile(r"[^\W_]+")


def syllables(text: str) -> list[str]:
    """Return one syllable for each Han character and each Latin word, in lower case."""
    # Most given names: two characters that no dictionary reads as one word.
    if len(text) <= 2 and text not in PHRASES_DICT and _COMMON_HAN.fullmatch(text):
        return [_alone(character) for character in text]
    return _spelt(text)


@lru_cache(maxsize=30_000)
def _alone(character: str) -> str:
    return "".join(_spelt(character))


def _spelt(text: str) -> list[str]:
    spelt = lazy_pinyin(text, style=Style.NORMAL, v_to_u=False)
    return [word for part in spelt for word in _WORD.findall(_bare(part))]


def _bare(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text.lower())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def key_of(readings: list[list[str]]) -> str:
    """
    Return the key to sort and search by: each reading whole and by its initials.

    The first reading comes first, so that lists sort by it.
    """
    spelt = []
    for reading in readings:
        spelt += ["".join(reading), "".join(syllable[0] for syllable in reading)]
    return "|".join(dict.fromkeys(spelt))


def place_key(name: str) -> str:
    """Return the key of a place's name."""
    return key_of([syllables(name)])
