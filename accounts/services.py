"""Areas and accounts: making, changing and closing them, each written down."""

import secrets
import unicodedata
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

# No 0/O, 1/l/I: a first password is read out or copied by hand.
READABLE = "abcdefghjkmnpqrstuvwxyz23456789"


class NotOnOneselfError(ValidationError):
    """An administrator may not change the own role, employer, areas or standing."""

    def __init__(self) -> None:
        super().__init__(_("Another administrator has to change your own account."))


@transaction.atomic
def add_grid(*, community: Area, name: str, code: str, by: User) -> Area:
    """Make a grid below a community."""
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
    """Give an area another name; its code stays."""
    audit.record(by=by, did=gettext_noop("renamed area"), to=area, before=area.name, after=name)
    area.name, area.name_key = name, place_key(name)
    area.save(update_fields=["name", "name_key"])


@transaction.atomic
def set_phone(*, area: Area, phone: str, by: User) -> None:
    """Say under which phone the residents of an area reach those on duty."""
    did = gettext_noop("changed the duty phone")
    audit.record(by=by, did=did, to=area, before=area.phone, after=phone)
    area.phone = phone
    area.save(update_fields=["phone"])


def first_password() -> str:
    """Return a password of 60 random bits that can be read out."""
    return "-".join("".join(secrets.choice(READABLE) for _ in range(4)) for _ in range(3))


@transaction.atomic
def employ(
    *,
    username: str,
    name: str,
    role: str,
    areas: Iterable[Area],
    employer: str = "",
    email: str = "",
    by: User,
) -> tuple[User, str]:
    """Make an account, and return it with the password to hand over, valid for one sign-in."""
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
    """Return an employer's name as it is kept: one must not pass for two by a space or a width."""
    return " ".join(unicodedata.normalize("NFKC", name).split())


@transaction.atomic
def assign(
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
    Give an account another name, role, employer, areas or e-mail address.

    Areas outside those of `by` stay as they are; a change of role, employer or areas ends the
    sessions.
    """
    own = Area.objects.below(by)
    chosen = {area.pk for area in areas}
    foreign = set(user.areas.exclude(pk__in=own.values("pk")).values_list("pk", flat=True))
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
    """Keep where the morning's digest goes, or that it goes nowhere."""
    if email == user.email:
        return
    # The audit says that it changed, not to what: it holds no personal data.
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
    """Open an account again, and return the password to hand over."""
    User.objects.filter(pk=user.pk).update(is_active=True)
    audit.record(by=by, did=gettext_noop("reactivated account"), to=user)
    return reset(user=user, by=by)


@transaction.atomic
def reset(*, user: User, by: User) -> str:
    """
    Replace a lost password, drop the second factor, and return the password to hand over.

    Whoever lost a phone sets the second factor up again at the next sign-in.
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
    """Sign an account out everywhere."""
    for session in UserSession.objects.filter(user=user):
        session.end()


def _codes(user: User) -> list[str]:
    return sorted(user.areas.values_list("code", flat=True))
