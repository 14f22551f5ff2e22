"""What the law's terms are called on pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.functional import lazy
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common import places
from policy.engine.decisions.people import ListedFacts
from policy.engine.wording import vocabulary
from policy.services import library

if TYPE_CHECKING:
    from policy.engine.comparison.compare import Class
    from policy.engine.decisions.facts import Person, Served, Stay
    from policy.engine.text import Text


def say(text: Text | None) -> str:
    """Return a sentence of the law's in the reader's language, "" for none."""
    if text is None:
        return ""
    return text.en if (get_language() or "").startswith("en") else text.zh


def _label(text: Text) -> str:
    # Without any language, as in a migration, labels are in that of the code.
    return text.en if get_language() is None else say(text)


_said_later = lazy(_label, str)


def _spoken(texts: Mapping[Any, Text]) -> dict[str, Any]:
    """Return the words of a vocabulary in the language of whoever looks at them."""
    return {str(word): _said_later(text) for word, text in texts.items()}


SETTINGS = _spoken(vocabulary.SETTINGS)
MOVEMENTS = _spoken(vocabulary.MOVEMENTS)
FORCES = _spoken(vocabulary.FORCES)
SUBJECTS = _spoken(vocabulary.SUBJECTS)
DUTIES = _spoken(vocabulary.DUTIES)
PAGES = _spoken(vocabulary.PAGES)


EXPOSURES = _spoken(vocabulary.EXPOSURES)
CLINICAL = _spoken(vocabulary.CLINICAL)
RISKS = _spoken(vocabulary.RISKS)

VERDICTS = {
    "stricter": _("Stricter"),
    "equal": _("Equal"),
    "looser": _("Looser"),
    "silent": _("Not covered"),
}
VENUES = _spoken(vocabulary.VENUES)
ROLES = _spoken(vocabulary.ROLES)
CHECKS = _spoken(vocabulary.CHECKS)
CODES = {"green": _("Green"), "yellow": _("Yellow"), "red": _("Red")}
# Of listed people; the colours of a health code are called otherwise in Chinese.
MARKS = {
    "green": pgettext_lazy("mark", "Green"),
    "yellow": pgettext_lazy("mark", "Yellow"),
    "red": pgettext_lazy("mark", "Red"),
}
POSTS = _spoken(vocabulary.POSTS)
LEVELS = _spoken(vocabulary.LEVELS)
RELATIONS = _spoken(vocabulary.RELATIONS)
GATHERINGS = _spoken(vocabulary.GATHERINGS)
GATHERING_DUTIES = _spoken(vocabulary.GATHERING_DUTIES)
WHITELIST_POSTS = _spoken(vocabulary.WHITELIST_POSTS)
WHITELIST_DUTIES = _spoken(vocabulary.WHITELIST_DUTIES)
CONDITIONS = _spoken(vocabulary.CONDITIONS)
CATEGORIES = _spoken(vocabulary.CATEGORIES)
VACCINATIONS = {
    "none": pgettext_lazy("no dose", "None"),
    "partial": _("Partial"),
    "full": _("Full"),
}
QUESTIONS = {
    "measure": _("Measure"),
    "switch": _("Change of document"),
    "entry": _("At the door"),
    "screening": _("Occupational testing"),
    "zone": _("High-risk area"),
    "gathering": _("Gathering"),
    "freight": _("Truck"),
    "registration": _("Reporting before arrival"),
    "registry": _("Key populations"),
    "whitelist": _("White list"),
    "compare": _("Compare two documents"),
}
OUTINGS = _spoken(vocabulary.OUTINGS)
FREQUENCIES = {"daily": _("Daily"), "twice_weekly": _("Twice a week")}

_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


def reason(text: Text) -> str:
    """Return a reason of the law's, with the names of areas instead of their codes."""
    return _CODE.sub(lambda code: places.name_of(code[0]), say(text))


def page_addresses() -> dict[str, str]:
    """Return where the pages are that serve a clause, as far as the portal has them."""
    return {page: reverse(name) for page, name in settings.CLAUSE_PAGES.items()}


def short_day(day: date) -> str:
    """Return a day for tables, calendars and charts: 11-14."""
    return f"{day:%m-%d}"


def named_day(day: date) -> str:
    """Return a day for everything else: November 14, 11月14日."""
    return date_format(day, "MONTH_DAY_FORMAT")


def named_moment(moment: datetime) -> str:
    """Return a moment for everything but tables: November 14 08:30, 11月14日 08:30."""
    local = localtime(moment)
    return f"{named_day(local.date())} {local:%H:%M}"


def document_title(document: str, *, short: bool = False) -> str:
    """Return a document's title with its number in the reader's language; `short`: one of them."""
    known = library().documents.get(document)
    if known is None:
        return document
    if known.number and short:
        return pgettext("a document", "%(number)s") % {"number": _short_number(known.number)}
    title = _in_marks(known.title)
    return _with_number(title, say(known.number)) if known.number else title


def clause_of(document: str, clause: object, *, short: bool = False) -> str:
    """Return a clause with its document: 《…》（113号）第3条, `short` 113号文件第3条."""
    known = library().documents.get(document)
    named = document_title(document, short=True)
    if known and known.number and not short:
        named = _with_number(_in_marks(known.title), _short_number(known.number))
    return gettext("%(document)s, clause %(clause)s") % {"document": named, "clause": clause}


def _in_marks(title: Text) -> str:
    """Return a title between the marks of its language; marks within are the single ones."""
    within = say(title).translate(str.maketrans("《》", "〈〉"))
    return pgettext("a title", "%(title)s") % {"title": within}


def _with_number(title: str, number: str) -> str:
    return gettext("%(title)s (%(number)s)") % {"title": title, "number": number}


def _short_number(number: Text) -> str:
    """Return a number without the office and year before it: 113号."""
    text = say(number)
    end = re.search(r"[0-9]+号$", text)
    return end[0] if end else text


def facts_of(person: Person) -> Iterator[tuple[str, str]]:
    """Yield the facts that were used, each a name and a value."""
    if person.exposure:
        yield gettext("Contact"), str(EXPOSURES[person.exposure])
    if person.exposure == "infected" and person.clinical:
        yield gettext("Clinical class"), str(CLINICAL[person.clinical])
    if person.arrived_from:
        yield gettext("Came from"), places.name_of(person.arrived_from)
    if person.spread_at_origin:
        yield gettext("There"), gettext("community spread")
    for stay in person.stays:
        yield gettext("Stay"), _stay(stay)
    yield from _journey_of(person)
    if not person.home_conditions_met:
        yield gettext("Home"), gettext("not fit for isolation")
    if person.chooses_central:
        yield gettext("Wish"), gettext("central isolation")


def _journey_of(person: Person) -> Iterator[tuple[str, str]]:
    if person.inbound:
        served = gettext("from abroad; served %(central)d central and %(home)d home days")
        yield (
            gettext("Entry"),
            served % {"central": person.inbound.central_days, "home": person.inbound.home_days},
        )
    for days in person.served:
        yield gettext("Served"), served_days(days)
    if ended := person.closed_loop_post_ended:
        yield gettext("Closed-loop post"), gettext("ended on %s") % named_day(ended)
    if person.freight_crew:
        yield gettext("Truck"), gettext("closed-loop crew")
    if person.proof and (moment := person.proof.counts_from):
        yield gettext("Negative proof"), gettext("sampled %s") % named_moment(moment)


def served_days(served: Served) -> str:
    """Return days served in a setting: Home isolation, November 18 to November 20."""
    return gettext("%(setting)s, %(first)s to %(last)s") % {
        "setting": SETTINGS[served.setting],
        "first": named_day(served.first_day),
        "last": named_day(served.last_day),
    }


def _stay(stay: Stay) -> str:
    parts = [places.name_of(stay.area) if stay.area else gettext("place not known")]
    if stay.risk:
        parts.append(str(RISKS[stay.risk]))
    parts.append(gettext("until %s") % named_day(stay.last_day))
    if stay.transit:
        parts.append(gettext("in transit only"))
    return pgettext("joins parts of a fact", ", ").join(parts)


def class_named(about: Class) -> str:
    """Return in words one of the classes that the comparison tells apart."""
    if isinstance(about, tuple):
        named = [_part_named(part) for part in about]
    elif isinstance(about, ListedFacts):
        named = _resident_named(about)
    else:
        named = [_with_name(name, value) for name, value in facts_of(about)]
    return pgettext("joins parts of a fact", ", ").join(named) or gettext("Everybody else")


def _with_name(name: str, value: str) -> str:
    return name + pgettext("after a label", ": ") + value


def _part_named(part: object) -> str:
    if isinstance(part, int):
        return ngettext("%d person", "%d people", part) % part
    tables = (VENUES, ROLES, POSTS, GATHERINGS, WHITELIST_POSTS)
    return next((str(table[part]) for table in tables if part in table), str(part))


def _resident_named(resident: ListedFacts) -> list[str]:
    flags = {
        "living_alone": gettext("lives alone"),
        "pregnant": gettext("pregnant"),
        "child_in_difficulty": gettext("child in difficulty"),
        "disabled": gettext("disabled"),
    }
    return [
        ngettext("%d year old", "%d years old", resident.age) % resident.age,
        *(str(CONDITIONS[condition]) for condition in resident.conditions),
        *(name for flag, name in flags.items() if getattr(resident, flag)),
    ]
