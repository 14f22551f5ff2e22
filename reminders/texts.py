"""What a resident is told: the day, and what to do; no name, no link."""

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from reminders.models import Message

Kind = Message.Kind


def for_resident(message: Message) -> str:
    """Return the sentence of an SMS, in the language of the portal."""
    assert message.case is not None  # noqa: S101 - the database holds it so (message_digest_…)
    with translation.override(settings.LANGUAGE_CODE):
        return _sentence(message.kind) % {
            "day": date_format(message.day, "MONTH_DAY_FORMAT"),
            "number": (message.day - message.case.day_1).days + 1,
        }


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
