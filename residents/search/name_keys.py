"""
The columns for sorting, searching and comparing sealed names.

A dump reveals no more than pages do: the pinyin of the first character. All other columns are
truncated keyed hashes: of single characters and syllables, of pairs of them, and of pairs of
initials. A search becomes a query of such hashes; its results are then compared with the typed
text, name by name.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain, pairwise, product
from typing import NamedTuple

from django.conf import settings

from common import pinyin
from common.encryption import hasher
from common.pinyin import INITIALS, SYLLABLES, Segmentation, Spelling
from residents.search.lexemes import all_of, any_of, stored_words

WORD, NAME = "resident.name_words", "resident.name"
WORD_DIGITS, NAME_DIGITS = 8, 16  # hexadecimal digits of the hash of a word, and of a full name
# Size of the cache: thousands of characters and syllables, many more pairs of them.
REMEMBERED = 150_000
_LETTERS = 8  # of a word in Latin letters that the index distinguishes


class Columns(NamedTuple):
    """The search columns of a name."""

    key: str
    words: str
    hash: str


def columns(name: str) -> Columns:
    """Return the search columns of a name, by the newest search key."""
    return columns_by(settings.SEARCH_KEYS[0])(name)


@lru_cache(maxsize=4)
def columns_by(search_key: str) -> Callable[[str], Columns]:
    """Return the function that makes the columns of names by a search key."""
    word, name_hash = words_by(search_key).__getitem__, hasher(context=NAME, search_key=search_key)

    def columns(name: str) -> Columns:
        spelling = pinyin.spelling_of(name)
        usual = [readings[0] for readings in spelling]
        key = usual[0] if usual else ""
        return Columns(
            # No more than a masked name reveals.
            key[:1] if pinyin.is_latin(name) else key,
            stored_words(map(word, _grams(pinyin.han_characters(name), spelling, usual))),
            # By pinyin: a human compares names that sound alike, such as 张伟 and 张玮.
            name_hash("".join(usual))[:NAME_DIGITS],
        )

    return columns


class Words(dict[str, str]):
    """A bounded cache of the hashes of grams."""

    def __init__(self, search_key: str) -> None:
        super().__init__()
        self._hashed = hasher(context=WORD, search_key=search_key)

    def __missing__(self, gram: str) -> str:
        word = self._hashed(gram)[:WORD_DIGITS]
        if len(self) < REMEMBERED:
            self[gram] = word
        return word


words_by = lru_cache(maxsize=4)(Words)


def _grams(characters: str, spelling: Spelling, usual: list[str]) -> list[str]:
    """Return the grams of a name; of 张伟: 张 伟 张伟 zhang wei zhang-wei z_w."""
    grams = [*characters, *_bigrams(characters), *chain(*spelling)]
    for first_syllables, second_syllables in pairwise(spelling):
        for first, second in product(first_syllables, second_syllables):
            grams.append(f"{first}-{second}")
            grams.append(f"{first[0]}_{second[0]}")
    if not SYLLABLES.issuperset(usual):
        for start in range(len(usual)):
            grams += _prefixes("".join(usual[start:]))
    return grams


def _prefixes(word: str) -> list[str]:
    """Return the prefixes of a word that is no pinyin, such as Smith."""
    return [f"^{word[:end]}" for end in range(1, min(len(word), _LETTERS) + 1)]


@dataclass(frozen=True)
class TypedName:
    """A typed name: Han characters, letters, or both."""

    characters: str
    letters: str
    # The letters as another language than Chinese has them: u for ü.
    plain: str = ""

    @property
    def query(self) -> str:
        """Return the query of `LexemesField` for candidate names, by every search key."""
        return any_of(self._query(words_by(key).__getitem__) for key in settings.SEARCH_KEYS)

    def _query(self, word: Callable[[str], str]) -> str:
        required = [word(gram) for gram in _bigrams(self.characters) or self.characters]
        if self.letters:
            latin = [word(f"^{letters[:_LETTERS]}") for letters in self._spelt]
            ways = (
                all_of(any_of(map(word, grams)) for grams in _gram_groups(way))
                for way in pinyin.segmentations(self.letters)
            )
            required.append(any_of([*latin, *ways]))
        return all_of(required)

    def fits(self, name: str) -> bool:
        """Return whether a name matches the typed text."""
        if self.characters not in pinyin.han_characters(name):
            return False
        spelling = pinyin.spelling_of(name)
        return not self.letters or (
            any(
                pinyin.contains_syllables(spelling, way)
                for way in pinyin.segmentations(self.letters)
            )
            or any(pinyin.starts_with_letters(spelling, letters) for letters in self._spelt)
        )

    @property
    def _spelt(self) -> list[str]:
        return list(dict.fromkeys([self.letters, self.plain or self.letters]))


def _bigrams(characters: str) -> list[str]:
    return [first + second for first, second in pairwise(characters)]


def _gram_groups(way: Segmentation) -> Iterator[Iterable[str]]:
    """Yield groups of grams; names with the pieces of `way` have at least one of each group."""
    syllables = _syllables(way)
    paired = set()
    for number, (first_syllables, second_syllables) in enumerate(pairwise(syllables)):
        if first_syllables and second_syllables:
            yield (
                f"{first}-{second}" for first, second in product(first_syllables, second_syllables)
            )
            paired |= {number, number + 1}
        else:
            yield [f"{way[number][0]}_{way[number + 1][0]}"]
    for number, piece in enumerate(way):
        if number not in paired and (len(piece) > 1 or len(way) == 1):
            yield syllables[number] or pinyin.syllables_starting_with(piece)


def _syllables(way: Segmentation) -> list[frozenset[str]]:
    """Return the possible syllables of each piece of `way`, none for initials."""
    *before, last = way
    syllable_sets = [
        frozenset() if piece in INITIALS else pinyin.syllables_matching(piece) for piece in before
    ]
    is_initial = bool(syllable_sets) and not syllable_sets[-1] and len(last) == 1
    return [*syllable_sets, frozenset() if is_initial else pinyin.syllables_starting_with(last)]
