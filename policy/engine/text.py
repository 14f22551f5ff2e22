"""A sentence in the two languages of the portal."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, order=True)
class Text:
    """The same sentence in Simplified Chinese and in English."""

    zh: str
    en: str

    def __str__(self) -> str:
        return self.zh


def in_chinese(day: date) -> str:
    """Return a day as a Chinese sentence says it: 12月9日."""
    return f"{day.month}月{day.day}日"
