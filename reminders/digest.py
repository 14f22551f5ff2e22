"""The morning's digest for the staff of a grid: counts and a link, no names."""

from django.conf import settings
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from quarantine.lists.worklist import Work, WorkKind
from quarantine.models import Case
from reminders.models import Message


def compose(message: Message) -> tuple[str, str]:
    """Return the subject and text of a digest, with the counts of the page of today."""
    cases = Case.objects.filter(grid=message.grid)
    due = Work(cases=cases, today=message.day).counts().of
    with translation.override(settings.LANGUAGE_CODE):
        day = date_format(message.day, "MONTH_DAY_FORMAT")
        subject = _("%(grid)s: the list of %(day)s") % {"grid": message.grid.name, "day": day}
        lines = [
            subject,
            _("People under a measure: %(number)d") % {"number": cases.governing().count()},
            _("Tests due today: %(number)d") % {"number": due[WorkKind.TEST]},
            _("Tests overdue: %(number)d") % {"number": due[WorkKind.OVERDUE]},
            _("Releases to confirm: %(number)d") % {"number": due[WorkKind.RELEASE]},
            _("Daily checks to do: %(number)d") % {"number": due[WorkKind.CHECK]},
        ]
        if settings.SITE_URL:
            lines.append(f"{settings.SITE_URL}/")
    return subject, "\n".join(lines)
