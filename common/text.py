"""
The one door for text from people, files and programs.

What passes is whole characters without anything invisible, so that two texts that look alike are
alike, and every one can be stored, found and written to a file.
"""

import re
import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

# Control characters, soft hyphens, zero-width characters, marks of direction, byte order marks,
# tags, and code points that are no characters. Variation selectors have a meaning in names.
_MEANINGLESS = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\U000e0000-\U000e007f]"
)
_LINE_ENDS = re.compile("[\u2028\u2029]")
# Han characters of names that NFC would replace by others.
_OTHER_THAN_COMPATIBLE_HAN = re.compile("[^\uf900-\ufaff\U0002f800-\U0002fa1f]+")
# Spreadsheet programs write one before a number to keep it as text.
_APOSTROPHE = re.compile("^['‘’＇`]+(?=.)", re.DOTALL)


def readable(text: str) -> str:
    """Return a text in NFC without what is invisible; refuse what cannot be stored."""
    try:
        # Programs write one character as two halves, which UTF-16 joins.
        joined = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise ValidationError(
            _("This text holds half a character, which cannot be kept. Type it anew.")
        ) from error
    visible = _LINE_ENDS.sub("\n", _MEANINGLESS.sub("", joined))
    return _OTHER_THAN_COMPATIBLE_HAN.sub(_composed, visible)


def _composed(part: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", part[0])


def tidy(text: str) -> str:
    """Return a readable text in NFKC, on one line with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", readable(text)).split())


def without_apostrophe(text: str) -> str:
    """Return a readable text without the apostrophe that spreadsheets put before numbers."""
    return _APOSTROPHE.sub("", readable(text).strip())


class TextField(forms.CharField):
    """A readable text, or a tidy one; its length is checked as it will be stored."""

    def __init__(self, *, tidied: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._make = tidy if tidied else readable

    def to_python(self, value: Any) -> str:
        """Return the text as it will be stored."""
        return self._make(super().to_python(value) or "").strip()
