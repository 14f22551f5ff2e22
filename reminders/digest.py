"""What those who work in a grid read in the morning: counts and a link, and nobody's name."""

from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q
from django.utils import translation
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts.models import Area
from quarantine.models import Case, Event
from reminders.models import Message


@dataclass(frozen=True)
class Counts:
    """What waits in a grid on a day."""

    people: int
    tests: int
    overdue: int
    releases: int
    checks: int


def counts(*, grid: Area, on: date) -> Counts:
    """Return what waits in `grid` on that day."""
    checked = Event.objects.valid().filter(case=OuterRef("pk"), kind=Event.Kind.CHECK, day=on)
    return Counts(
        **Case.objects.open()
        .filter(grid=grid)
        .aggregate(
            people=Count("pk"),
            tests=Count("pk", filter=Q(next_test_on=on)),
            overdue=Count("pk", filter=Q(next_test_on__lt=on)),
            releases=Count("pk", filter=Q(release_on__lte=on)),
            checks=Count("pk", filter=~Exists(checked)),
        )
    )


def compose(message: Message) -> tuple[str, str]:
    """Return the subject and the text of a digest, with the counts of this moment."""
    found = counts(grid=message.grid, on=message.day)
    with translation.override(settings.LANGUAGE_CODE):
        day = date_format(message.day, "MONTH_DAY_FORMAT")
        subject = _("%(grid)s: the list of %(day)s") % {"grid": message.grid.name, "day": day}
        lines = [
            subject,
            _("People under a measure: %(number)d") % {"number": found.people},
            _("Tests due today: %(number)d") % {"number": found.tests},
            _("Tests overdue: %(number)d") % {"number": found.overdue},
            _("Releases to confirm: %(number)d") % {"number": found.releases},
            _("Daily checks to do: %(number)d") % {"number": found.checks},
        ]
        if settings.SITE_URL:
            lines.append(f"{settings.SITE_URL}/")
    return subject, "\n".join(lines)
