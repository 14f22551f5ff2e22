"""Create, change and close areas and accounts; every act is audited."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, cast

from allauth.mfa.models import Authenticator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.sessions import end_sessions
from accounts.staff import authority
from accounts.staff.models import Area, User
from accounts.voices import independence
from accounts.voices.models import Intervention
from common.errors import RefusedError
from common.pinyin import place_key
from common.text import tidy


class NotOnOneselfError(RefusedError):
    """Administrators may not change their own role, employer or areas, or close their account."""

    def __init__(self) -> None:
        super().__init__(_("Another administrator has to change your own account."))


class SecondNeededError(RefusedError):
    """What one administrator may not do alone: it has to be proposed."""

    def __init__(self) -> None:
        super().__init__(
            _("Two administrators of two employers decide on this: propose it to a second one.")
        )


@transaction.atomic
def add_grid(*, community: Area, name: str, code: str, by: User) -> Area:
    """Create a grid below a community."""
    if community.level != Area.Level.COMMUNITY:
        raise ValidationError(_("Grids are made below a community or village."))
    if Area.objects.filter(code=code).exists():
        raise ValidationError({"code": _("Another area has this code. Choose the next free one.")})
    row = {"level": Area.Level.GRID, "name": name, "code": code, "name_key": place_key(name)}
    grid = cast(Area, Area.objects.add_child(community, row))
    audit.record(by=by, did=gettext_noop("made area"), to=grid, below=community.code)
    return grid


@transaction.atomic
def rename_area(*, area: Area, name: str, by: User | None) -> None:
    """Rename an area; its code stays."""
    audit.record(by=by, did=gettext_noop("renamed area"), to=area, before=area.name, after=name)
    area.name, area.name_key = name, place_key(name)
    area.save(update_fields=["name", "name_key"])


@transaction.atomic
def set_phone(*, area: Area, phone: str, by: User) -> None:
    """Set the duty phone of an area."""
    did = gettext_noop("changed the duty phone")
    audit.record(by=by, did=did, to=area, before=area.phone, after=phone)
    area.phone = phone
    area.save(update_fields=["phone"])


@transaction.atomic
def create_account(
    *,
    username: str,
    name: str,
    role: str,
    areas: Iterable[Area],
    employer: str = "",
    email: str = "",
    at: datetime,
    by: User,
    second: User | None = None,
) -> User:
    """
    Create an account that its owner activates with a code.

    Raise NotBelowError where it would reach further than `by` may give, SecondNeededError where
    that takes two and nobody is `second`.
    """
    areas, employer = list(areas), plain_employer(employer)
    authority.refuse_beyond(role=role, areas=areas, by=by)
    if not second and authority.needs_second(account=None, role=role, employer=employer):
        raise SecondNeededError
    user = User(username=username, name=name, role=role, employer=employer, email=email)
    user.set_unusable_password()
    user.save()
    user.areas.set(areas)
    _record_alone(user, Intervention.Kind.MADE, at=at, by=by, second=second)
    audit.record(
        by=second or by,
        did=gettext_noop("made account"),
        to=user,
        role=role,
        employer=user.employer,
        areas=_codes(user),
        **_proposer(by, second),
    )
    return user


def plain_employer(name: str) -> str:
    """Return an employer's name with normalised spaces and widths, for comparison."""
    return tidy(name)


@transaction.atomic
def change_account(
    *,
    user: User,
    name: str,
    role: str,
    areas: Iterable[Area],
    employer: str,
    email: str,
    at: datetime,
    by: User,
    second: User | None = None,
) -> None:
    """
    Change the name, role, employer, areas or e-mail address of an account.

    A change of role, employer or areas ends the sessions. Raise what `create_account` raises;
    NotOnOneselfError for more than one's own name and address.
    """
    areas, employer = list(areas), plain_employer(employer)
    before: dict[str, Any] = {"role": user.role, "employer": user.employer, "areas": _codes(user)}
    after = {"role": role, "employer": employer, "areas": sorted(area.code for area in areas)}
    if user != by:
        _refuse_alone(user, role, employer, by=by, second=second)
        authority.refuse_beyond(role=role, areas=areas, by=by, left=True)
    elif before != after:
        raise NotOnOneselfError
    readdressed = email != user.email
    user.name, user.role, user.employer = name, role, employer
    user.save(update_fields=["name", "role", "employer"])
    set_email(user=user, email=email, by=second or by)
    user.areas.set(areas)
    if before != after or readdressed:
        _record_alone(user, Intervention.Kind.CHANGED, at=at, by=by, second=second)
    audit.record(
        by=second or by,
        did=gettext_noop("changed account"),
        to=user,
        before=before,
        after=after,
        **_proposer(by, second),
    )
    if before != after:
        end_sessions(user)


def _refuse_alone(user: User, role: str, employer: str, *, by: User, second: User | None) -> None:
    """Refuse an account that is not below `by`, and what takes a second administrator."""
    authority.refuse_not_below(by=by, account=user)
    if not second and authority.needs_second(account=user, role=role, employer=employer):
        raise SecondNeededError


@transaction.atomic
def set_email(*, user: User, email: str, by: User) -> None:
    """Set the address for codes and the morning's digest, "" for none."""
    if email == user.email:
        return
    # The audit records the change without the address, since it holds no personal data.
    user.email = email
    user.save(update_fields=["email"])
    audit.record(by=by, did=gettext_noop("changed e-mail address"), to=user)


@transaction.atomic
def deactivate(*, user: User, by: User, second: User | None = None) -> None:
    """Close an account and end its sessions."""
    if user == by:
        raise NotOnOneselfError
    _refuse_alone(user, user.role, user.employer, by=by, second=second)
    User.objects.filter(pk=user.pk).update(is_active=False)
    end_sessions(user)
    audit.record(
        by=second or by,
        did=gettext_noop("deactivated account"),
        to=user,
        **_proposer(by, second),
    )


@transaction.atomic
def reactivate(*, user: User, at: datetime, by: User, second: User | None = None) -> None:
    """Open a closed account again; its owner activates it with a code."""
    _refuse_alone(user, user.role, user.employer, by=by, second=second)
    User.objects.filter(pk=user.pk).update(is_active=True)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    _record_alone(user, Intervention.Kind.REOPENED, at=at, by=by, second=second)
    audit.record(
        by=second or by,
        did=gettext_noop("reactivated account"),
        to=user,
        **_proposer(by, second),
    )


@transaction.atomic
def reset_sign_in(*, user: User, at: datetime, by: User, second: User | None = None) -> None:
    """
    Close the sign-in until the owner activates the account with a new code.

    Two administrators remove the second factor, too, which its owner then sets up again; one
    alone leaves it.
    """
    if user == by:
        raise NotOnOneselfError
    _refuse_alone(user, user.role, user.employer, by=by, second=second)
    user.set_unusable_password()
    user.save(update_fields=["password"])
    if second:
        Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    _record_alone(user, Intervention.Kind.RESET, at=at, by=by, second=second)
    audit.record(
        by=second or by,
        did=gettext_noop("reset sign-in"),
        to=user,
        factor="removed" if second else "kept",
        **_proposer(by, second),
    )


def _record_alone(
    user: User, kind: Intervention.Kind, *, at: datetime, by: User, second: User | None
) -> None:
    if not second:
        independence.record(account=user, kind=kind, at=at, by=by)


def _proposer(by: User, second: User | None) -> dict[str, Any]:
    return {"proposed_by": str(by.key)} if second else {}


def _codes(user: User) -> list[str]:
    return sorted(user.areas.values_list("code", flat=True))
