"""The morning's digest by e-mail to the staff of a grid."""

import smtplib

from django.core.mail import EmailMessage, get_connection
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, TextField

from accounts.staff.models import Area, Role, User
from reminders import digest
from reminders.channels.errors import NotSentError, PerhapsSentError
from reminders.models import Message


def staff_of(grid: Area) -> Q:
    """Return the condition on accounts that they are staff of `grid` with an e-mail address."""
    paths = [grid.path[:end] for end in range(Area.steplen, len(grid.path) + 1, Area.steplen)]
    return Q(is_active=True, role=Role.GRID_STAFF, areas__path__in=paths) & ~Q(email="")


def reaches() -> Q:
    """Return the condition on grids that some staff have an e-mail address."""
    working = (
        User.objects.filter(is_active=True, role=Role.GRID_STAFF)
        .exclude(email="")
        .annotate(grid_path=ExpressionWrapper(OuterRef("path"), output_field=TextField()))
        .filter(grid_path__startswith=F("areas__path"))
    )
    return Q(Exists(working))


def send(message: Message) -> None:
    """Send a grid's digest; its subject names the grid, and no person."""
    staff = User.objects.filter(staff_of(message.grid)).order_by("pk").distinct()
    addresses = list(staff.values_list("email", flat=True))
    if not addresses:
        raise NotSentError("nobody with an address")
    subject, text = digest.compose(message)
    headers = {"Message-ID": _message_id(message)}
    hand_over(EmailMessage(subject, text, to=addresses, headers=headers))


def hand_over(mail: EmailMessage) -> None:
    """Hand a mail to the mail server. Raise NotSentError or PerhapsSentError."""
    server = get_connection()
    try:
        server.open()
    except (smtplib.SMTPException, OSError) as error:
        raise NotSentError(type(error).__name__) from None
    try:
        server.send_messages([mail])
    except (smtplib.SMTPResponseException, smtplib.SMTPRecipientsRefused) as error:
        raise NotSentError(type(error).__name__) from None
    except (smtplib.SMTPException, OSError) as error:
        raise PerhapsSentError(type(error).__name__) from None
    finally:
        server.close()


def _message_id(message: Message) -> str:
    # The same for each attempt, so that mail programs can merge a second copy.
    return f"<{message.key}@wangge>"
