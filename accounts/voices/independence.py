"""Who is a second voice to whom: asked by every rule that needs two people."""

from collections.abc import Collection
from datetime import datetime

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.activation.models import ActivationCode
from accounts.auditing import audit
from accounts.staff import authority
from accounts.staff.models import User
from accounts.voices.models import TIED, Intervention
from common.errors import RefusedError


class NoSecondVoiceError(RefusedError):
    """The second person is not independent of the first."""


def no_second_voice(*, first: User, second: User, acted_for: str | None = None) -> str:
    """
    Return in a sentence why `second` is no second voice to `first`, "" where they are two.

    They are one where they are the same person, or where somebody stands behind both: made,
    reset or changed both accounts alone, or the account of somebody who did, or is one of them.
    With `acted_for`, the employer under which the first acted, they must work for two employers.
    """
    if first == second:
        return _("Somebody else has to decide.")
    if acted_for is not None and (refusal := _one_employer(first, second, acted_for)):
        return refusal
    if tied_to(second).filter(pk=first.pk).exists():
        return _(
            "The same person stands behind your account and that of the first: they made, reset"
            " or changed it alone, and nobody has confirmed that yet. Somebody else decides."
        )
    return ""


def refuse_one_voice(*, first: User, second: User) -> None:
    """Raise NoSecondVoiceError where `second` is no second voice to `first`."""
    if refusal := no_second_voice(first=first, second=second):
        raise NoSecondVoiceError(refusal)


def tied_to(user: User) -> QuerySet[User]:
    """Return the accounts that are no second voice to `user`, with the user."""
    keys = RawSQL(TIED, [user.pk])  # noqa: S611 - the one argument is a key
    return User.objects.filter(pk__in=keys)


def _one_employer(first: User, second: User, acted_for: str) -> str:
    if not second.employer:
        return _("Your account names no employer: another administrator has to enter it first.")
    if not acted_for:
        return _("It is not known for whom the proposer works: withdraw this and propose it anew.")
    if second.employer.lower() in {acted_for.lower(), first.employer.lower()}:
        return _("You and the proposer work for the same employer: somebody of another approves.")
    return ""


def record(*, account: User, kind: Intervention.Kind, at: datetime, by: User) -> None:
    """Record that `by` alone acted upon an account; on one's own it is no intervention."""
    if account != by:
        Intervention.objects.create(
            account=account, by=by, by_employer=by.employer, kind=kind, at=at
        )


def confirmable(by: User) -> QuerySet[Intervention]:
    """
    Return the standing interventions that `by` may confirm.

    The account lies below `by`, and who acted upon it is another voice, of another employer. While
    a code waits for its owner nobody can know who will hold the account.
    """
    if not by.employer:
        return Intervention.objects.none()
    colleagues = Q(by_employer="") | Q(by_employer__iexact=by.employer)
    standing = Intervention.objects.standing().filter(
        account__in=authority.below(by).filter(is_active=True)
    )
    return (
        standing.exclude(account__in=ActivationCode.objects.open().values("account"))
        .exclude(by__in=tied_to(by))
        .exclude(colleagues | Q(by__employer__iexact=by.employer))
    )


def to_confirm(by: User) -> QuerySet[User]:
    """Return the accounts that `by` may confirm, each with its `unconfirmed` interventions."""
    theirs = confirmable(by).select_related("by").order_by("at")
    return (
        User.objects.filter(pk__in=theirs.values("account"))
        .prefetch_related("areas", Prefetch("interventions", theirs, to_attr="unconfirmed"))
        .order_by("username")
    )


@transaction.atomic
def confirm(*, account: User, at: datetime, by: User, acts: Collection[int] | None = None) -> None:
    """
    End what others did alone to an account: `by` answers for who holds it, and what it may do.

    `acts` are the interventions that `by` was shown (None: all). Raise NoSecondVoiceError where
    none stands that `by` may confirm.
    """
    ended = confirmable(by).filter(account=account)
    if acts is not None:
        ended = ended.filter(pk__in=acts)
    keys = list(ended.values_list("pk", flat=True))
    standing = Intervention.objects.standing().filter(pk__in=keys)
    if not (number := standing.update(confirmed_by=by, confirmed_at=at)):
        raise NoSecondVoiceError(
            _("Only an administrator of another employer, independent of the first, confirms.")
        )
    audit.record(by=by, did=gettext_noop("confirmed account"), to=account, acts=number)
