"""
What two administrators of two employers decide about accounts: one proposes, another approves.

What one may do alone is done at once. It stands here, above residents and cases, because open work
moves along with an account that changes.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts import services as accounts
from accounts.activation import codes
from accounts.activation.models import ActivationCode
from accounts.auditing import audit
from accounts.proposals import rules
from accounts.proposals.models import AccountProposal
from accounts.staff import authority
from accounts.staff.models import Area, User
from accounts.voices import independence
from accounts.voices.models import Intervention
from common.encryption import sealed
from common.errors import RefusedError
from portal.staffing import succession
from residents.register.masking import mask_phone

Kind = AccountProposal.Kind


class NotFitToDecideError(RefusedError):
    """The administrator may not decide on this proposal."""


class NotWaitingError(RefusedError):
    """The proposal was decided on or withdrawn, or the account is another by now."""


class AlreadyProposedError(RefusedError):
    """Another proposal about the account waits."""


class UserNameTakenError(RefusedError):
    """The user name was taken since the proposal was made."""


@dataclass(frozen=True)
class Delivery:
    """How the owner of an account gets the activation code."""

    way: ActivationCode.Way
    phone: str = ""

    def masked(self, account: User) -> str:
        """Return where the code goes, as pages may show it."""
        if self.way == ActivationCode.Way.EMAIL:
            return account.masked_email
        return mask_phone(self.phone)


@dataclass(frozen=True)
class Issued:
    """A new activation code: to be sent or printed once, and kept nowhere."""

    account: User
    code: str
    delivery: Delivery


def make(
    *, username: str, values: Mapping[str, Any], delivery: Delivery, at: datetime, by: User
) -> Issued | AccountProposal:
    """Make an account and issue its code, or propose it where two have to agree."""
    role, employer = values["role"], accounts.plain_employer(values["employer"])
    if not authority.needs_second(account=None, role=role, employer=employer):
        return _made(username, values, delivery, at=at, by=by)
    authority.refuse_beyond(role=role, areas=values["areas"], by=by)
    entered = {**values, "employer": employer}
    return _propose(
        Kind.MAKE, None, {"username": username, **_stored(entered)}, delivery, at=at, by=by
    )


@transaction.atomic
def _made(
    username: str,
    values: Mapping[str, Any],
    delivery: Delivery,
    *,
    at: datetime,
    by: User,
    second: User | None = None,
) -> Issued:
    account = accounts.create_account(username=username, **values, at=at, by=by, second=second)
    return _issue(account, delivery, at=at, by=by, second=second)


@transaction.atomic
def change(
    *,
    account: User,
    values: Mapping[str, Any],
    taker: User | None,
    at: datetime,
    by: User,
) -> AccountProposal | None:
    """Change an account, and return None; or propose it where two have to agree."""
    employer = accounts.plain_employer(values["employer"])
    entered = {**values, "employer": employer}
    if account == by or not authority.needs_second(
        account=account, role=values["role"], employer=employer
    ):
        succession.change_account(user=account, **entered, taker=taker, at=at, by=by)
        return None
    areas = values["areas"]
    authority.refuse_beyond(role=values["role"], areas=areas, by=by, left=True)
    succession.refuse_nobody(user=account, role=values["role"], areas=areas, taker=taker)
    return _propose(Kind.CHANGE, account, _stored(entered), None, taker=taker, at=at, by=by)


@transaction.atomic
def reset(
    *, account: User, delivery: Delivery, factor: bool, at: datetime, by: User
) -> Issued | AccountProposal:
    """
    Close a sign-in and issue a code; propose it for administrators, auditors and with `factor`.

    `factor` asks that the second factor be removed, too.
    """
    if account == by:
        raise accounts.NotOnOneselfError
    if factor or not authority.acts_alone(account):
        return _propose(Kind.RESET, account, {}, delivery, at=at, by=by)
    accounts.reset_sign_in(user=account, at=at, by=by)
    return _issue(account, delivery, at=at, by=by)


@transaction.atomic
def close(*, account: User, taker: User | None, at: datetime, by: User) -> AccountProposal | None:
    """Close an account, and return None; propose it for administrators and auditors."""
    if account != by and not authority.acts_alone(account):
        return _propose(Kind.CLOSE, account, {}, None, at=at, by=by)
    succession.close_account(user=account, taker=taker, at=at, by=by)
    return None


@transaction.atomic
def reopen(
    *, account: User, delivery: Delivery, at: datetime, by: User
) -> Issued | AccountProposal:
    """Open a closed account and issue a code; propose it for administrators and auditors."""
    if not authority.acts_alone(account):
        return _propose(Kind.REOPEN, account, {}, delivery, at=at, by=by)
    accounts.reactivate(user=account, at=at, by=by)
    return _issue(account, delivery, at=at, by=by)


@transaction.atomic
def _propose(
    kind: Kind,
    account: User | None,
    values: Mapping[str, Any],
    delivery: Delivery | None,
    *,
    taker: User | None = None,
    at: datetime,
    by: User,
) -> AccountProposal:
    if account:
        if account == by:
            raise accounts.NotOnOneselfError
        authority.refuse_not_below(by=by, account=account)
    if not by.employer:
        raise NotFitToDecideError(
            _("Your account names no employer: another administrator has to enter it first.")
        )
    proposal = AccountProposal(
        kind=kind,
        account=account,
        values=values,
        before=snapshot(account) if account else {},
        taker=taker,
        way=delivery.way if delivery else "",
        phone=delivery.phone if delivery else "",
        proposed_by=by,
        proposer_employer=by.employer,
        proposed_at=at,
    )
    try:
        with transaction.atomic():
            proposal.save()
    except IntegrityError as error:
        if "account_proposal_one_waiting" not in str(error):
            raise
        raise AlreadyProposedError(
            _("Another proposal about this account waits: decide on that one first.")
        ) from error
    did = gettext_noop("proposed about an account")
    audit.record(by=by, did=did, to=proposal, kind=kind, account=_key(account))
    return proposal


@transaction.atomic
def approve(*, proposal: AccountProposal, at: datetime, by: User) -> Issued | None:
    """
    Approve a proposal and do what it says; return the code where the account needs one.

    Raise NotFitToDecideError, NotWaitingError, and what the act itself raises.
    """
    proposal = _locked(proposal)
    by = User.objects.select_for_update(of=("self",)).get(pk=by.pk)
    if refusal := rules.unfit(proposal=proposal, by=by):
        raise NotFitToDecideError(refusal)
    if proposal.account and snapshot(proposal.account) != proposal.before:
        raise NotWaitingError(_("The account has changed meanwhile: this is to be proposed anew."))
    issued = _apply(proposal, at=at, by=by)
    AccountProposal.objects.filter(pk=proposal.pk).update(
        account=issued.account if issued else proposal.account,
        approved_by=by,
        approver_employer=by.employer,
        approved_at=at,
        **sealed(proposal, phone=""),
    )
    did = gettext_noop("approved a proposal about an account")
    audit.record(by=by, did=did, to=proposal, kind=proposal.kind)
    return issued


@transaction.atomic
def refuse(*, proposal: AccountProposal, at: datetime, by: User) -> None:
    """Refuse a proposal, or withdraw one's own."""
    proposal = _locked(proposal)
    if proposal.proposed_by_id != by.pk and not rules.stands_above(by, proposal):
        raise NotFitToDecideError(_("Administrators above this account decide on this."))
    AccountProposal.objects.filter(pk=proposal.pk).update(
        refused_by=by, refused_at=at, **sealed(proposal, phone="")
    )
    did = gettext_noop("refused a proposal about an account")
    audit.record(by=by, did=did, to=proposal, kind=proposal.kind)


def _locked(proposal: AccountProposal) -> AccountProposal:
    waiting = AccountProposal.objects.waiting().select_for_update(of=("self",))
    found = waiting.select_related("account", "proposed_by", "taker").filter(pk=proposal.pk)
    if not (locked := found.first()):
        raise NotWaitingError(_("This was decided on or withdrawn meanwhile."))
    return locked


def _apply(proposal: AccountProposal, *, at: datetime, by: User) -> Issued | None:
    """Do what was proposed, as the act of both."""
    account, first, values = proposal.account, proposal.proposed_by, dict(proposal.values)
    if values:
        values["areas"] = _areas(values["areas"])
    delivery = Delivery(ActivationCode.Way(proposal.way), proposal.phone) if proposal.way else None
    if account is None:
        assert delivery  # noqa: S101 - tells the type checker
        username = values.pop("username")
        if User.objects.filter(username__iexact=username).exists():
            raise UserNameTakenError(_("This user name is taken. Choose another."))
        return _made(username, values, delivery, at=at, by=first, second=by)
    if proposal.kind == Kind.CHANGE:
        succession.change_account(
            user=account, **values, taker=proposal.taker, at=at, by=first, second=by
        )
        return None
    if proposal.kind == Kind.CLOSE:
        succession.close_account(user=account, taker=None, at=at, by=first, second=by)
        return None
    act = accounts.reset_sign_in if proposal.kind == Kind.RESET else accounts.reactivate
    act(user=account, at=at, by=first, second=by)
    return _issue(account, delivery, at=at, by=first, second=by) if delivery else None


def _issue(
    account: User,
    delivery: Delivery,
    *,
    at: datetime,
    by: User,
    second: User | None = None,
) -> Issued:
    """Issue a code; who prints one that two decided on had it in their hands, and it counts."""
    issuer = second or by
    code = codes.issue(
        account=account,
        way=delivery.way,
        sent_to=delivery.masked(account),
        at=at,
        by=issuer,
    )
    if second and delivery.way == ActivationCode.Way.PAPER:
        kind = Intervention.Kind.PRINTED
        independence.record(account=account, kind=kind, at=at, by=second)
    return Issued(account, code, delivery)


def snapshot(account: User) -> dict[str, Any]:
    """Return what a second administrator is shown of an account as it is."""
    return {
        "name": account.name,
        "role": account.role,
        "employer": account.employer,
        "email": account.email,
        "areas": sorted(account.areas.values_list("code", flat=True)),
        "open": account.is_active,
    }


def _stored(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "areas": sorted(area.code for area in values["areas"])}


def _areas(codes_: Iterable[str]) -> list[Area]:
    return list(Area.objects.filter(code__in=list(codes_)).order_by("path"))


def _key(account: User | None) -> str:
    return str(account.key) if account else ""
