"""Send activation codes to their owners, by the gateways of the reminders."""

import uuid

from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import translation
from django.utils.translation import gettext as _

from accounts.activation.models import ActivationCode
from portal.staffing.proposals import Issued
from reminders.channels import mail, sms

Way = ActivationCode.Way


def configured() -> list[ActivationCode.Way]:
    """Return the ways in which a code can be given here."""
    return [
        *([Way.SMS] if settings.SMS_GATEWAY else []),
        *([Way.EMAIL] if settings.EMAIL_URL else []),
        Way.PAPER,
    ]


def send(issued: Issued, *, address: str) -> None:
    """
    Send a code to its owner's phone or mailbox; one on paper is printed instead.

    `address` is the page that takes it. Raise NotSentError or PerhapsSentError.
    """
    # Written for its owner, whatever language the administrator reads.
    with translation.override(settings.LANGUAGE_CODE):
        text = _(
            "Your account %(username)s of %(site)s: choose your password at %(address)s with the"
            " code %(code)s within 3 days. Tell the code to nobody."
        ) % {
            "username": issued.account.username,
            "site": settings.SITE_NAME,
            "address": address,
            "code": issued.code,
        }
        subject = _("Activate your account")
    if issued.delivery.way == Way.SMS:
        sms.send_text(
            phone=issued.delivery.phone,
            text=text,
            community=str(settings.SITE_NAME),
            key=str(uuid.uuid4()),
        )
    elif issued.delivery.way == Way.EMAIL:
        mail.hand_over(EmailMessage(subject, text, to=[issued.account.email]))
