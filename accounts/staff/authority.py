"""Who may act upon whose account: all its areas and its role lie below one's own."""

from collections.abc import Iterable

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from accounts.scope import within
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from common.errors import RefusedError


class NotBelowError(RefusedError):
    """The account, or what would become of it, does not lie below the administrator."""

    field = "areas"


def stands_below(*, role: str, paths: Iterable[str], by: User) -> bool:
    """
    Return whether an account of `role` that answers for the areas at `paths` lies below `by`.

    An administrator lies below those of wider areas. Auditors, accounts without areas, and
    administrators of the whole belong to the administrators of the whole.
    """
    if by.role != Role.ADMINISTRATOR or not by.is_active:
        return False
    if by.is_top:
        return True
    paths = list(paths)
    inside = bool(paths) and all(path.startswith(by.area_paths) for path in paths)
    if role == Role.ADMINISTRATOR:
        return inside and all(_strictly(path, by) for path in paths)
    return role in SEES_PEOPLE and inside


def _strictly(path: str, by: User) -> bool:
    return any(path.startswith(above) and path != above for above in by.area_paths)


def below(by: User) -> QuerySet[User]:
    """Return the accounts that lie below `by` (stands_below in SQL), without their own."""
    if by.role != Role.ADMINISTRATOR or not by.is_active:
        return User.objects.none()
    others = User.objects.exclude(pk=by.pk)
    if by.is_top:
        return others
    theirs = User.areas.through.objects.filter(user=OuterRef("pk"))
    outside = theirs.exclude(within(by, "area__path"))
    at_or_outside = theirs.exclude(_strictly_within(by, "area__path"))
    return others.filter(
        Q(Exists(theirs)),
        Q(role__in=SEES_PEOPLE) & ~Exists(outside)
        | Q(role=Role.ADMINISTRATOR) & ~Exists(at_or_outside),
    )


def _strictly_within(user: User, path: str) -> Q:
    condition = Q(pk__in=[])
    for above in user.area_paths:
        condition |= Q(**{f"{path}__startswith": above}) & ~Q(**{path: above})
    return condition


def seen_by(user: User) -> QuerySet[User]:
    """Return the accounts that `user` sees: below them, and in any of their areas; their own."""
    if user.role != Role.ADMINISTRATOR:
        return User.objects.filter(pk=user.pk)
    there = User.areas.through.objects.filter(within(user, "area__path"), user=OuterRef("pk"))
    return User.objects.filter(Q(Exists(there)) | Q(pk__in=below(user)) | Q(pk=user.pk))


def refuse_not_below(*, by: User, account: User) -> None:
    """Raise NotBelowError where an account does not lie below `by`."""
    if not below(by).filter(pk=account.pk).exists():
        raise NotBelowError(
            _("This account reaches further than yours: somebody above you acts on it.")
        )


def refuse_beyond(*, role: str, areas: Iterable[Area], by: User, left: bool = False) -> None:
    """
    Raise NotBelowError where an account would reach further than `by` may give.

    `left`: the account is there already, and may be left without areas, for the top to give.
    """
    paths = [area.path for area in areas]
    if left and not paths and role in SEES_PEOPLE:
        return
    if not stands_below(role=role, paths=paths, by=by):
        raise NotBelowError(
            _(
                "An account that you make or change has areas below yours and a role below yours."
                " Others are given by the administrators of a wider area."
            )
        )


def needs_second(*, account: User | None, role: str, employer: str) -> bool:
    """
    Return whether two administrators have to agree that an account be so.

    They do about administrators and auditors, employers that no account has, and changes of role
    or employer.
    """
    if account is None:
        unknown = bool(employer) and not User.objects.filter(employer__iexact=employer).exists()
        return role not in SEES_PEOPLE or unknown
    changed = (account.role, account.employer) != (role, employer)
    return changed or not acts_alone(account)


def acts_alone(account: User) -> bool:
    """Return whether one administrator alone may act upon an account that lies below."""
    return account.role in SEES_PEOPLE
