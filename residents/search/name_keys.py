"""
The columns under which sealed names are kept in order, found and compared.

A dump shows of them no more than pages do: the pinyin of the first character. All else are keyed
hashes, cut short: of single characters and syllables, of two that follow each other, and of the
initials of two. What was typed becomes a query of such hashes; whom it finds is then compared
with what was typed, name by name.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise, product
from typing import NamedTuple

from django.conf import settings

from common import pinyin
from common.encryption import hasher
from common.pinyin import INITIALS, SYLLABLES, Spelling, Way
from residents.search.lexemes import every, some, stored

WORD, NAME = "resident.name_words", "resident.name"
SHORT, WHOLE = 8, 16  # hexadecimal digits of the hash of a word, and of a whole name
# What a portal comes across: thousands of characters and syllables, many more pairs of them.
REMEMBERED = 150_000
_LETTERS = 8  # of a word in Latin letters that the index tells apart


class Columns(NamedTuple):
    """The columns of a name besides the name."""

    key: str
    words: str
    hash: str


def columns(name: str) -> Columns:
    """Return the columns of a name, by the newest search key."""
    return columns_by(settings.SEARCH_KEYS[0])(name)


@lru_cache(maxsize=4)
def columns_by(search_key: str) -> Callable[[str], Columns]:
    """Return what makes the columns of names by a search key."""
    word, whole = words_by(search_key).__getitem__, hasher(context=NAME, search_key=search_key)

    def columns(name: str) -> Columns:
        spelling = pinyin.spelt(name)
        usual = [readings[0] for readings in spelling]
        key = usual[0] if usual else ""
        return Columns(
            # No more than a masked name shows.
            key[:1] if pinyin.is_latin(name) else key,
            stored(map(word, _grams(pinyin.han(name), spelling, usual))),
            # Names that are spelt alike are compared by a human: 张伟 and 张玮.
            whole("".join(usual))[:WHOLE],
        )

    return columns


class Words(dict[str, str]):
    """The hashes of grams: of characters and syllables there are thousands, of pairs more."""

    def __init__(self, search_key: str) -> None:
        super().__init__()
        self._hashed = hasher(context=WORD, search_key=search_key)

    def __missing__(self, gram: str) -> str:
        word = self._hashed(gram)[:SHORT]
        if len(self) < REMEMBERED:
            self[gram] = word
        return word


words_by = lru_cache(maxsize=4)(Words)


def _grams(characters: str, spelling: Spelling, usual: list[str]) -> list[str]:
    """Return what a name is found by: 张伟 by 张 伟 张伟 zhang wei zhang-wei z_w."""
    grams = [*characters, *_of_two(characters), *chain(*spelling)]
    for ones, others in pairwise(spelling):
        for one, other in product(ones, others):
            grams.append(f"{one}-{other}")
            grams.append(f"{one[0]}_{other[0]}")
    if not SYLLABLES.issuperset(usual):
        for start in range(len(usual)):
            grams += _beginnings("".join(usual[start:]))
    return grams


def _beginnings(word: str) -> list[str]:
    """Return what finds a word that is no Mandarin, like Smith, when it is half typed."""
    return [f"^{word[:end]}" for end in range(1, min(len(word), _LETTERS) + 1)]


@dataclass(frozen=True)
class TypedName:
    """What somebody typed of a name: Han characters, letters, or both."""

    characters: str
    letters: str

    @property
    def query(self) -> str:
        """Return the query of `LexemesField` for names that may fit, by every search key."""
        return some(self._query(words_by(key).__getitem__) for key in settings.SEARCH_KEYS)

    def _query(self, word: Callable[[str], str]) -> str:
        asked = [word(gram) for gram in _of_two(self.characters) or self.characters]
        if self.letters:
            latin = word(f"^{self.letters[:_LETTERS]}")
            ways = (
                every(some(map(word, grams)) for grams in _wanted(way))
                for way in pinyin.cut(self.letters)
            )
            asked.append(some([latin, *ways]))
        return every(asked)

    def fits(self, name: str) -> bool:
        """Return whether a name is one that was typed."""
        if self.characters not in pinyin.han(name):
            return False
        spelling = pinyin.spelt(name)
        return not self.letters or (
            any(pinyin.is_spelt_so(spelling, way) for way in pinyin.cut(self.letters))
            or pinyin.begins_so(spelling, self.letters)
        )


def _of_two(characters: str) -> list[str]:
    return [one + other for one, other in pairwise(characters)]


def _wanted(way: Way) -> Iterator[Iterable[str]]:
    """Yield the grams of names that hold the pieces of `way`: of each group at least one."""
    syllables = _syllables(way)
    paired = set()
    for number, (ones, others) in enumerate(pairwise(syllables)):
        if ones and others:
            yield (f"{one}-{other}" for one, other in product(ones, others))
            paired |= {number, number + 1}
        else:
            yield [f"{way[number][0]}_{way[number + 1][0]}"]
    for number, piece in enumerate(way):
        if number not in paired and (len(piece) > 1 or len(way) == 1):
            yield syllables[number] or pinyin.begun(piece)


def _syllables(way: Way) -> list[frozenset[str]]:
    """Return the syllables that each piece of `way` may be, none for an initial among others."""
    *before, last = way
    found = [frozenset() if piece in INITIALS else pinyin.whole(piece) for piece in before]
    is_initial = bool(found) and not found[-1] and len(last) == 1
    return [*found, frozenset() if is_initial else pinyin.begun(last)]
