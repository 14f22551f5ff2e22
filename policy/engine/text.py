"""A sentence in the two languages of the portal."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """The same sentence in Simplified Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh
