"""Issue activation codes, and take a password from whoever holds one."""

import hashlib
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.activation.models import ActivationCode
from accounts.auditing import audit
from accounts.sessions import end_sessions
from accounts.staff.models import User
from common.errors import RefusedError

VALID_FOR = timedelta(days=3)
# Without 0/O and 1/l/I: codes on paper are copied by hand.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class CodeError(RefusedError):
    """A code that opens nothing (any more); the sentence says what to do."""

    field = "code"


class PasswordError(RefusedError):
    """A password that the rules of passwords refuse."""

    field = "password1"


def random_code() -> str:
    """Return a code of 79 random bits, in four groups."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(4))


def code_hash(text: str) -> str:
    """Return the hash of a code as typed; a random code of 79 bits needs no slow hash."""
    plain = "".join(letter for letter in text.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode()).hexdigest()


@transaction.atomic
def issue(
    *, account: User, way: ActivationCode.Way, sent_to: str = "", at: datetime, by: User
) -> str:
    """
    Return a new code for an account; older ones open nothing any more.

    Whoever calls this sends the code to its owner, or has it printed, and keeps it nowhere.
    """
    User.objects.select_for_update(of=("self",)).get(pk=account.pk)
    ActivationCode.objects.open().filter(account=account).update(revoked_at=at)
    code = random_code()
    ActivationCode.objects.create(
        account=account,
        code_hash=code_hash(code),
        way=way,
        sent_to=sent_to,
        issued_by=by,
        issued_at=at,
        expires_at=at + VALID_FOR,
    )
    audit.record(by=by, did=gettext_noop("issued an activation code"), to=account, way=way)
    return code


@transaction.atomic
def activate(*, code: str, password: str, at: datetime) -> User:
    """
    Set the password that the holder of a code chose; return the account.

    Raise CodeError for an unknown, spent or expired code, PasswordError for a weak password.
    """
    found = ActivationCode.objects.select_for_update(of=("self",)).select_related("account")
    held = found.filter(code_hash=code_hash(code)).first()
    if held is None or not held.account.is_active:
        raise CodeError(_("No account waits for this code. Check it letter by letter."))
    if held.used_at:
        raise CodeError(
            _(
                "This code was used on %(moment)s. If it was not you, tell your administrator's"
                " superior at once, and ask for a new one."
            )
            % {"moment": _local_time(held.used_at)}
        )
    if not held.waits(at):
        raise CodeError(_("This code has expired or was replaced: ask for a new one."))
    account = held.account
    try:
        validate_password(password, account)
    except ValidationError as error:
        raise PasswordError(" ".join(error.messages)) from error
    account.set_password(password)
    account.save(update_fields=["password"])
    held.used_at = at
    held.save(update_fields=["used_at"])
    end_sessions(account)
    audit.record(by=account, did=gettext_noop("activated account"), to=account)
    return account


def _local_time(moment: datetime) -> str:
    return date_format(localtime(moment), "Y-m-d H:i")
