"""Create, change and close areas and accounts; every act is audited."""

import secrets
from collections.abc import Iterable
from typing import Any, cast

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import Area, User
from common.pinyin import place_key
from common.text import tidy

# Without 0/O and 1/l/I: first passwords are read out or copied by hand.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class NotOnOneselfError(ValidationError):
    """Administrators may not change their own role, employer or areas, or close their account."""

    def __init__(self) -> None:
        super().__init__(_("Another administrator has to change your own account."))


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


def first_password() -> str:
    """Return a password of 60 random bits that can be read out."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(3))


@transaction.atomic
def create_account(
    *,
    username: str,
    name: str,
    role: str,
    areas: Iterable[Area],
    employer: str = "",
    email: str = "",
    by: User,
) -> tuple[User, str]:
    """Create an account; return it with a temporary password, valid for one sign-in."""
    password = first_password()
    user = User(
        username=username,
        name=name,
        role=role,
        employer=plain_employer(employer),
        email=email,
        password_is_temporary=True,
    )
    user.set_password(password)
    user.save()
    user.areas.set(areas)
    audit.record(
        by=by,
        did=gettext_noop("made account"),
        to=user,
        role=role,
        employer=user.employer,
        areas=_codes(user),
    )
    return user, password


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
    by: User,
) -> None:
    """
    Change the name, role, employer, areas or e-mail address of an account.

    Areas outside those of `by` stay as they are; a change of role, employer or areas ends the
    sessions.
    """
    managed = Area.objects.below(by)
    chosen = {area.pk for area in areas}
    foreign = set(user.areas.exclude(pk__in=managed.values("pk")).values_list("pk", flat=True))
    employer = plain_employer(employer)
    before: dict[str, Any] = {"role": user.role, "employer": user.employer, "areas": _codes(user)}
    if user == by and (
        (role, employer) != (by.role, by.employer)
        or chosen | foreign != {area.pk for area in by.areas.all()}
    ):
        raise NotOnOneselfError
    user.name, user.role, user.employer = name, role, employer
    user.save(update_fields=["name", "role", "employer"])
    set_email(user=user, email=email, by=by)
    user.areas.set(chosen | foreign)
    after = {"role": role, "employer": employer, "areas": _codes(user)}
    audit.record(by=by, did=gettext_noop("changed account"), to=user, before=before, after=after)
    if before != after:
        end_sessions(user)


@transaction.atomic
def set_email(*, user: User, email: str, by: User) -> None:
    """Set the address for the morning's digest, "" for none."""
    if email == user.email:
        return
    # The audit records the change without the address, since it holds no personal data.
    user.email = email
    user.save(update_fields=["email"])
    audit.record(by=by, did=gettext_noop("changed e-mail address"), to=user)


@transaction.atomic
def deactivate(*, user: User, by: User) -> None:
    """Close an account and end its sessions."""
    if user == by:
        raise NotOnOneselfError
    User.objects.filter(pk=user.pk).update(is_active=False)
    end_sessions(user)
    audit.record(by=by, did=gettext_noop("deactivated account"), to=user)


@transaction.atomic
def reactivate(*, user: User, by: User) -> str:
    """Open a closed account again; return a temporary password."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    audit.record(by=by, did=gettext_noop("reactivated account"), to=user)
    return reset_sign_in(user=user, by=by)


@transaction.atomic
def reset_sign_in(*, user: User, by: User) -> str:
    """
    Set a temporary password, remove the second factor, and return the password.

    The owner sets up a second factor again at the next sign-in.
    """
    if user == by:
        raise NotOnOneselfError
    password = first_password()
    user.set_password(password)
    user.password_is_temporary = True
    user.save(update_fields=["password", "password_is_temporary"])
    Authenticator.objects.filter(user=user).delete()
    end_sessions(user)
    audit.record(by=by, did=gettext_noop("reset sign-in"), to=user)
    return password


def end_sessions(user: User) -> None:
    """End all sessions of an account."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def _codes(user: User) -> list[str]:
    return sorted(user.areas.values_list("code", flat=True))
