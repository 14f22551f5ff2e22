"""What a resident is told: the day, and what to do; no name, no link."""

from datetime import date

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from policy.engine.documents.law import Citation
from policy.words import document_title
from quarantine.cases.governing_law import freeing_clause
from quarantine.models import Case
from reminders import changes
from reminders.models import Change, Message

Kind = Message.Kind


def for_resident(message: Message) -> str:
    """Return the sentence of an SMS, in the language of the portal."""
    assert message.case is not None  # noqa: S101 - the database holds it so (message_is_about_…)
    with translation.override(settings.LANGUAGE_CODE):
        if message.kind == Kind.CHANGED:
            return _changed(message)
        return _sentence(message.kind) % {
            "day": date_format(message.day, "MONTH_DAY_FORMAT"),
            "number": (message.day - message.case.day_1).days + 1,
        }


def source_of(change: Change, case: Case | None = None) -> str:
    """Return the clause that a case now falls under; the document where that is silent on it."""
    if change.transition == Case.Transition.FREED:
        place = change.grid.county_code
        cited = freeing_clause(case=case or change.case, law=change.law, place=place)
        if cited is None:
            return document_title(change.law)
    else:
        content = change.after_plan.content
        cited = Citation(content["document"], content["clause"])
    return _("%(document)s, clause %(clause)s") % {
        "document": document_title(cited.document),
        "clause": cited.clause,
    }


def _changed(message: Message) -> str:
    """Return the sentence on a change: the day before, the day now, the clause and document."""
    assert message.case is not None  # noqa: S101 - as above
    assert message.change is not None  # noqa: S101 - the database holds it so (message_of_a_…)
    assert message.since is not None  # noqa: S101 - as above
    before, now = message.since.before_release_on, message.case.release_on
    told = {
        "before": date_format(before, "MONTH_DAY_FORMAT") if before else "",
        "now": date_format(now, "MONTH_DAY_FORMAT") if now else "",
        "source": source_of(message.change, message.case),
    }
    freed = message.change.transition == Case.Transition.FREED
    sentence = _no_test_left() if freed and before == now else _change(before, now)
    if _corrects(message):
        return _("Correction: ") + sentence % told
    return sentence % told


def _corrects(message: Message) -> bool:
    """Say whether this channel has told the resident something else before."""
    earlier = Message.objects.filter(
        case=message.case, kind=Kind.CHANGED, channel=message.channel, pk__lt=message.pk
    )
    return earlier.exclude(state__in=changes.NEVER_SENT).exists()


def _no_test_left() -> str:
    return _(
        "The rules for your health measure have changed (%(source)s): no test is due any more. It"
        " still ends on %(now)s. Please wait until your grid worker has confirmed it."
    )


def _change(before: date | None, now: date | None) -> str:
    if before and now and before != now:
        return _(
            "The end of your health measure moves from %(before)s to %(now)s (%(source)s). Please"
            " wait until your grid worker has confirmed it."
        )
    if now and not before:
        return _(
            "The rules for your health measure have changed (%(source)s): it may end on %(now)s."
            " Please wait until your grid worker has confirmed it."
        )
    if before and not now:
        return _(
            "The rules for your health measure have changed (%(source)s): its end on %(before)s no"
            " longer holds. Your grid worker tells you how it goes on."
        )
    return _(
        "The rules for your health measure have changed (%(source)s): other tests are due. Your"
        " grid worker tells you when."
    )


def _sentence(kind: str) -> str:
    return {
        Kind.TEST_TOMORROW: _(
            "Tomorrow, %(day)s, is day %(number)d of your health measure: a nucleic acid test"
            " is due. Please wait for your grid worker's notice."
        ),
        Kind.TEST_TODAY: _(
            "Today, %(day)s, is day %(number)d of your health measure: a nucleic acid test is"
            " due. Please follow your grid worker's notice."
        ),
        Kind.TEST_OVERDUE: _(
            "The nucleic acid test of %(day)s, day %(number)d of your health measure, has not"
            " been recorded. Please contact your grid worker to make it up."
        ),
        Kind.RELEASE_TODAY: _(
            "Your health measure may end on %(day)s. Please wait until your grid worker has"
            " confirmed it."
        ),
        Kind.RELEASED: _("Your health measure ended on %(day)s. Thank you for taking part."),
    }[Kind(kind)]
