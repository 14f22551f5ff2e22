"""
Texts of SMS to residents: the day, what to do, and whom to call; no link.

Each fits one SMS: 70 characters with the community's name, which the gateway adds.
"""

from datetime import date

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.staff.models import Area
from common import places
from policy import words
from policy.engine.documents.law import Citation
from policy.services import library
from quarantine.cases.governing_law import freeing_clause
from quarantine.models import Case
from reminders import changes
from reminders.models import Change, Message
from residents.register.masking import surname_of
from residents.register.models import Resident

Kind = Message.Kind
NATION = "000000"


def for_resident(message: Message, resident: Resident, community: Area) -> str:
    """Return the text of an SMS to `resident`, in the language of the portal."""
    assert message.case is not None  # noqa: S101 - the database holds it so (message_is_about_…)
    with translation.override(settings.LANGUAGE_CODE):
        if message.kind == Kind.CHANGED:
            correction = _("Correction: ") if _is_correction(message) else ""
            sentence = _change_sentence(message)
        else:
            correction = ""
            sentence = _sentence(message.kind) % {
                "day": date_format(message.day, "MONTH_DAY_FORMAT"),
                "number": (message.day - message.case.day_1).days + 1,
            }
        return correction + _salutation(resident) + sentence + _duty_phone(message.grid, community)


def community_of(grid: Area) -> Area:
    """Return the community in which a grid lies."""
    above = Area.objects.get_ancestors(grid).filter(level=Area.Level.COMMUNITY)
    return above.first() or grid


def source_of(change: Change, case: Case | None = None) -> str:
    """Return the clause that applies to a case now; the document if it has no clause for it."""
    citation = _citation(change, case or change.case)
    if citation is None:
        return words.document_title(change.law)
    return words.clause_of(citation.document, citation.clause)


def _citation(change: Change, case: Case) -> Citation | None:
    if change.transition == Case.Transition.FREED:
        return freeing_clause(case=case, law=change.law, place=change.grid.county_code)
    content = change.after_plan.content
    return Citation(content["document"], content["clause"])


def _short_title(document: str) -> str:
    """Return a short title of a document: its number, else the area that issued it."""
    known = library().documents.get(document)
    if known is None or known.number:
        return words.document_title(document, short=True)
    if known.area == NATION:
        return _("the national notice")
    return _("the notice of %(area)s") % {"area": places.name_of(known.area)}


def _source(change: Change, case: Case) -> str:
    citation = _citation(change, case)
    if citation is None:
        return _short_title(change.law)
    parts = {"document": _short_title(citation.document), "clause": citation.clause}
    return _("%(document)s, clause %(clause)s") % parts


def _salutation(resident: Resident) -> str:
    """Return the name to address if other people under a measure share the phone, else ""."""
    others = Resident.objects.filter(phone_hash=resident.phone_hash, cases__closed_on=None)
    if not resident.phone_hash or not others.exclude(pk=resident.pk).exists():
        return ""
    forms = {
        Resident.Sex.MALE: pgettext("an SMS", "Mr %(surname)s: "),
        Resident.Sex.FEMALE: pgettext("an SMS", "Ms %(surname)s: "),
    }
    form = forms.get(Resident.Sex(resident.sex), pgettext("an SMS", "For %(surname)s: "))
    return form % {"surname": surname_of(resident.name)}


def _duty_phone(grid: Area, community: Area) -> str:
    phone = grid.phone or community.phone
    return _(" Community: %(phone)s") % {"phone": phone} if phone else ""


def _change_sentence(message: Message) -> str:
    """Return the sentence on a change: its clause, and the dates before and now."""
    assert message.case is not None  # noqa: S101 - as above
    assert message.change is not None  # noqa: S101 - the database holds it so (message_of_a_…)
    assert message.since is not None  # noqa: S101 - as above
    before, now = message.since.before_release_on, message.case.release_on
    freed = message.change.transition == Case.Transition.FREED
    sentence = _no_test_left() if freed and before == now else _release_change(before, now)
    return sentence % {
        "before": date_format(before, "MONTH_DAY_FORMAT") if before else "",
        "now": date_format(now, "MONTH_DAY_FORMAT") if now else "",
        "source": _source(message.change, message.case),
    }


def _is_correction(message: Message) -> bool:
    """Return whether this channel has sent the resident an earlier change."""
    earlier = Message.objects.filter(
        case=message.case, kind=Kind.CHANGED, channel=message.channel, pk__lt=message.pk
    )
    return earlier.exclude(state__in=changes.NEVER_SENT).exists()


def _no_test_left() -> str:
    return _(
        "Under %(source)s, you need no more nucleic acid tests. Your release stays on %(now)s,"
        " once your grid worker confirms it."
    )


def _release_change(before: date | None, now: date | None) -> str:
    if before and now and before != now:
        return _(
            "Under %(source)s, your release moves from %(before)s to %(now)s, once your grid"
            " worker confirms it."
        )
    if now and not before:
        return _(
            "Under %(source)s, you may be released from your health measure on %(now)s, once your"
            " grid worker confirms it."
        )
    if before and not now:
        return _(
            "Under %(source)s, your release on %(before)s has changed. Your grid worker will tell"
            " you what follows."
        )
    return _(
        "Under %(source)s, the days of your nucleic acid tests have changed. Your grid worker will"
        " tell you the new ones."
    )


def _sentence(kind: str) -> str:
    return {
        Kind.TEST_TOMORROW: _(
            "Tomorrow (%(day)s) is day %(number)d of your health measure. A nucleic acid test is"
            " due: your grid worker will tell you when and where."
        ),
        Kind.TEST_TODAY: _(
            "Today (%(day)s) is day %(number)d of your health measure. A nucleic acid test is due:"
            " please follow your grid worker's notice."
        ),
        Kind.TEST_OVERDUE: _(
            "No sample of %(day)s is recorded for you. If it was taken, please tell your grid"
            " worker; if not, please ask for a make-up test."
        ),
        Kind.RELEASE_TODAY: _(
            "Your health measure is due to end on %(day)s. Please keep to it until your grid"
            " worker tells you that the end is confirmed."
        ),
        Kind.RELEASED: _(
            "Your health measure ended on %(day)s. Thank you for your understanding and help."
        ),
    }[Kind(kind)]
