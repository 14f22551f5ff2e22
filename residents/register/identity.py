"""
Parse typed document numbers, names and phones.

Pure functions that return the normalised value, or raise a `ValidationError` with a sentence for
a form's field: what is wrong and what to do.
"""

import re
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date

import phonenumbers
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from stdnum.iso7064 import mod_11_2

from common.text import tidy, without_apostrophe
from residents.register.lengths import LONGEST_NAME, SHORTEST_NAME
from residents.register.models import Resident

DocumentType = Resident.DocumentType
Sex = Resident.Sex

# Unicode's Script=Han: 々 〇 〡–〩 〸–〻, the block and its extensions A to I, compatibility.
_HAN = (
    "\u3005\u3007\u3021-\u3029\u3038-\u303b\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0002ee5f\U0002f800-\U0002fa1f\U00030000-\U000323af"
)
_VARIANT = "\ufe00-\ufe0f\U000e0100-\U000e01ef"  # variation selectors
_DOTS = "·•．‧・.∙⋅･"
_DOT_IN_HAN = re.compile(f"(?<=[{_HAN}{_VARIANT}])\\s*[{_DOTS}]\\s*(?=[{_HAN}])")
_SPACE_IN_HAN = re.compile(f"(?<=[{_HAN}{_VARIANT}])\\s+(?=[{_HAN}])")
_NOT_HAN = re.compile(f"[^{_HAN}{_VARIANT}{_DOTS}]+")
_IS_HAN = re.compile(f"[{_HAN}{_VARIANT}]")
_ISOLATED = re.compile("[\ue000-\uf8ff\U000f0000-\U0010ffff]")

# Provinces; 19 is none and tells invented people from real ones. 81 to 83 and 9 are other cards'.
PROVINCE = "(?:1[1-59]|2[1-3]|3[1-7]|4[1-6]|5[0-4]|6[1-5]|71)"
_MAINLAND = re.compile(rf"{PROVINCE}\d{{15}}[\dX]", re.ASCII)
_OLD_MAINLAND = re.compile(r"\d{15}", re.ASCII)
_HMT = re.compile(r"8[123]\d{15}[\dX]", re.ASCII)
_FOREIGN = re.compile(r"9\d{16}[\dX]", re.ASCII)
_OLD_FOREIGN = re.compile(r"[A-Z]{3}\d{12}", re.ASCII)
_18 = re.compile(r"\d{17}[\dX]", re.ASCII)
# After the eight digits of the person: how often the permit was issued.
_HM_TRAVEL = re.compile(r"([HM]\d{8})(?:\d{2})?", re.ASCII)
_TAIWAN_TRAVEL = re.compile(r"\d{8}|\d{10}(?:\(?[A-Z]\)?)?", re.ASCII)
_PASSPORT = re.compile(r"[A-Z0-9]{5,20}")
# Of a phone, in words and signs: 转801, 分机 801, ext. 801, 8221234-801, 8221234*801.
_EXTENSION = re.compile(
    r"\d\s*(?:转|分机|内线|内|ext|x|#|\*|,|;|～|~)|^\(?0\d{2,3}\)?[\s-]*\d{7,8}\s*[-—–(]\s*\d+\)?$",
    re.ASCII | re.IGNORECASE,
)
_FIRST_YEAR = 1900  # of birth on a card


@dataclass(frozen=True)
class Identity:
    """A document's number, with the birth date and sex that it contains."""

    number: str
    birth_date: date | None = None
    sex: Resident.Sex | None = None


def read_number(document_type: str, text: str, *, today: date) -> Identity:
    """Return the identity for a number on a document of this type."""
    number = re.sub(r"[\s\-_—–]", "", tidy(without_apostrophe(text))).upper()
    if document_type in Resident.WITHOUT_NUMBER:
        return _read_none(number)
    if not number:
        raise ValidationError(_("Enter the number that stands on the document."))
    return _READERS[DocumentType(document_type)](number, today)


def _read_none(number: str) -> Identity:
    if number:
        raise ValidationError(
            _("There is a number here: choose the document it stands on, or leave it empty.")
        )
    return Identity("")


def _read_mainland(number: str, today: date) -> Identity:
    if _OLD_MAINLAND.fullmatch(number):
        raise ValidationError(
            _(
                "This is the old number with 15 digits, no longer valid since 2013. Enter the 18"
                " characters that stand on the present card."
            )
        )
    _refuse_length(number)
    if _HMT.fullmatch(number):
        raise ValidationError(
            _(
                "A number that begins with 81, 82 or 83 stands on a residence permit for people"
                " of Hong Kong, Macao or Taiwan: choose that document."
            )
        )
    if _FOREIGN.fullmatch(number):
        raise ValidationError(
            _(
                "A number that begins with 9 stands on a foreigner's permanent residence card:"
                " choose that document."
            )
        )
    return _read_18(number, _MAINLAND, today)


def _read_hmt(number: str, today: date) -> Identity:
    _refuse_length(number)
    if not _HMT.fullmatch(number):
        raise ValidationError(
            _(
                "The number of a residence permit begins with 81 (Hong Kong), 82 (Macao) or 83"
                " (Taiwan). Check it, or choose another document."
            )
        )
    return _read_18(number, _HMT, today)


def _read_foreign(number: str, today: date) -> Identity:
    if _OLD_FOREIGN.fullmatch(number):
        # The year of birth has two digits, so no date is read.
        return Identity(number)
    if len(number) != 18 or not _FOREIGN.fullmatch(number):
        raise ValidationError(
            _(
                "The number of a permanent residence card has 18 characters and begins with 9, or"
                " on a card from before December 2023 three letters and 12 digits."
            )
        )
    return _read_18(number, _FOREIGN, today)


def _read_travel(number: str, today: date) -> Identity:
    if permit := _HM_TRAVEL.fullmatch(number):
        return Identity(permit[1])
    if not _TAIWAN_TRAVEL.fullmatch(number):
        raise ValidationError(
            _(
                "The number of a travel permit is H or M and eight digits (Hong Kong, Macao), or"
                " eight digits (Taiwan). Compare it with the permit."
            )
        )
    return Identity(re.sub("[()]", "", number))


def _read_passport(number: str, today: date) -> Identity:
    if not _PASSPORT.fullmatch(number) or not any(c.isdigit() for c in number):
        raise ValidationError(
            _(
                "A passport number has 5 to 20 Latin letters and digits. Enter it as it stands at"
                " the top right of the page with the photograph."
            )
        )
    return Identity(number)


_READERS: dict[Resident.DocumentType, Callable[[str, date], Identity]] = {
    DocumentType.MAINLAND_ID: _read_mainland,
    DocumentType.HMT_RESIDENCE: _read_hmt,
    DocumentType.FOREIGN_RESIDENCE: _read_foreign,
    DocumentType.HMT_TRAVEL: _read_travel,
    DocumentType.PASSPORT: _read_passport,
}


def _refuse_length(number: str) -> None:
    if len(number) != 18:
        raise ValidationError(
            _("The number has 18 characters; here are %(count)d. Compare it with the card."),
            params={"count": len(number)},
        )


def _read_18(number: str, form: re.Pattern[str], today: date) -> Identity:
    """
    Read the 18 characters of three kinds of card (GB 11643).

    The six digits of the area are not checked: cards outlive the codes of counties.
    """
    if _18.fullmatch(number) and not form.fullmatch(number):
        raise ValidationError(
            _("No identity card's number begins with %(digits)s. Compare it with the card."),
            params={"digits": number[:2]},
        )
    if not form.fullmatch(number):
        raise ValidationError(
            _("The number has 17 digits and, at the end, a digit or X. Compare it with the card.")
        )
    born = _birth_date(number[6:14], today)
    if not mod_11_2.is_valid(number):
        raise ValidationError(
            _(
                "One of the characters is wrong: the last one, a check digit, does not fit the"
                " others. Compare the number with the card."
            )
        )
    return Identity(number, born, Sex.MALE if int(number[16]) % 2 else Sex.FEMALE)


def _birth_date(digits: str, today: date) -> date:
    born = None
    with suppress(ValueError):
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    if born is None or born.year < _FIRST_YEAR:
        raise ValidationError(
            _(
                "Digits 7 to 14 are the date of birth, and %(digits)s is no date of anybody alive."
                " Compare the number with the card."
            ),
            params={"digits": digits},
        )
    if born > today:
        raise ValidationError(
            _(
                "By digits 7 to 14 this person would be born on %(born)s, in the future. Compare"
                " the number with the card."
            ),
            params={"born": born.isoformat()},
        )
    return born


def read_name(text: str) -> str:
    """
    Return the normalised name: Han characters, Latin letters, ·.

    Dots between the parts of a name become U+00B7 (notice 民委发〔2016〕33号).
    """
    name = " ".join(_NOT_HAN.sub(_plain, without_apostrophe(text)).split())
    name = _SPACE_IN_HAN.sub("", _DOT_IN_HAN.sub("·", name))
    if not name:
        raise ValidationError(_("Enter the name as it stands on the document."))
    _refuse_characters(name)
    if not SHORTEST_NAME <= len(name) <= LONGEST_NAME:
        raise ValidationError(
            _("A name has 2 to 120 characters; here are %(count)d. Enter it in full."),
            params={"count": len(name)},
        )
    return name


def _plain(part: re.Match[str]) -> str:
    """Return Latin letters in NFKC; Han characters must not be normalised."""
    return unicodedata.normalize("NFKC", part[0])


def _refuse_characters(name: str) -> None:
    if isolated := _ISOLATED.search(name):
        raise ValidationError(
            _(
                "The character U+%(code)X belongs to the private font of another system. Type it"
                " with an input method for rare characters, or write its pinyin."
            ),
            params={"code": ord(isolated[0])},
        )
    if invalid := next((c for c in name if not _may_stand_in_name(c, name)), None):
        raise ValidationError(
            _("“%(character)s” cannot stand in a name: use Han characters, Latin letters and ·."),
            params={"character": _visible(invalid)},
        )
    if not (_is_letter(name[0]) and (_is_letter(name[-1]) or name[-1] == ".")):
        raise ValidationError(_("A name begins and ends with a character or letter."))


def _visible(character: str) -> str:
    """Return a character, or its code where it shows nothing."""
    shows = character.isprintable() and character not in "\u3164\uffa0\u2800"
    return character if shows else f"U+{ord(character):X}"


def _may_stand_in_name(character: str, name: str) -> bool:
    # Passports hold A/L, S/O, aliases after @, and commas; between Han they part two people.
    signs = "· '’-." if _IS_HAN.search(name) else "· '’-./@,"
    return _is_letter(character) or character in signs


def _is_letter(character: str) -> bool:
    if _IS_HAN.match(character) or unicodedata.combining(character):
        return True
    return character.isalpha() and unicodedata.name(character, "").startswith("LATIN ")


def read_phone(text: str) -> str:
    """Return the phone number in E.164: +8613800000000."""
    typed = tidy(without_apostrophe(text))
    if _EXTENSION.search(typed):
        raise _no_extension()
    try:
        number = phonenumbers.parse(typed, "CN")
    except phonenumbers.NumberParseException as error:
        raise ValidationError(
            _("This is no phone number. Enter its digits, for example 13800000000.")
        ) from error
    if number.extension:
        raise _no_extension()
    if not phonenumbers.is_valid_number(number) and not _is_invented(number):
        raise _invalid_phone(typed, number)
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _no_extension() -> ValidationError:
    return ValidationError(
        _(
            "An extension cannot be kept with a number. Enter a number that reaches the person"
            " without one."
        )
    )


def _is_invented(number: phonenumbers.PhoneNumber) -> bool:
    """Return whether a number is one of the unassigned numbers that only the demo accepts."""
    invented = re.fullmatch("100[0-9]{8}", str(number.national_number))
    return settings.DEMO and number.country_code == 86 and invented is not None


def _invalid_phone(typed: str, number: phonenumbers.PhoneNumber) -> ValidationError:
    if number.country_code != 86:
        return ValidationError(
            _("No such phone number exists abroad. Check it, beginning with + and the country.")
        )
    digits = sum(c.isdigit() for c in typed)
    if typed.startswith("1") and digits != 11:
        return ValidationError(
            _("A mobile number has 11 digits; here are %(count)d."), params={"count": digits}
        )
    return ValidationError(
        _(
            "No such phone number exists. A mobile number has 11 digits, a landline its area code"
            " (0591…), a number from abroad + and its country."
        )
    )
