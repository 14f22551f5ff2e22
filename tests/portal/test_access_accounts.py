"""
Who may do what to whose account: everybody who may ask, for the account of everybody else.

What is expected is said by `expected` in words of its own, and stands in docs/access.md.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoDbBlocker

from accounts.activation.models import ActivationCode
from accounts.proposals.models import AccountProposal
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from tests.factories import make_community, make_grid, make_user

pytestmark = pytest.mark.django_db

# The tree of the walk: the whole, a street, two communities in it, a grid in the first.
WHOLE, STREET, HERE, THERE, GRID = "0", "0.1", "0.1.1", "0.1.2", "0.1.1.1"


@dataclass(frozen=True)
class Account:
    """An account of the walk: its role, and the areas that it answers for."""

    called: str
    role: Role
    areas: tuple[str, ...] = ()

    def covers(self, area: str, *, strictly: bool = False) -> bool:
        """Return whether an area lies in the account's."""
        return any(
            area.startswith(f"{above}.") or (area == above and not strictly)
            for above in self.areas
        )


ACCOUNTS = [
    Account("grid staff", Role.GRID_STAFF, (GRID,)),
    Account("grid staff next door", Role.GRID_STAFF, (THERE,)),
    Account("grid staff without area", Role.GRID_STAFF),
    Account("supervisor, community", Role.SUPERVISOR, (HERE,)),
    Account("supervisor, two communities", Role.SUPERVISOR, (HERE, THERE)),
    Account("supervisor, street", Role.SUPERVISOR, (STREET,)),
    Account("administrator, community", Role.ADMINISTRATOR, (HERE,)),
    Account("its second administrator", Role.ADMINISTRATOR, (HERE,)),
    Account("administrator next door", Role.ADMINISTRATOR, (THERE,)),
    Account("administrator, two communities", Role.ADMINISTRATOR, (HERE, THERE)),
    Account("administrator, street", Role.ADMINISTRATOR, (STREET,)),
    Account("administrator without area", Role.ADMINISTRATOR),
    Account("administrator, the whole", Role.ADMINISTRATOR, (WHOLE,)),
    Account("the second, the whole", Role.ADMINISTRATOR, (WHOLE,)),
    Account("auditor", Role.AUDITOR),
    Account("auditor with an area", Role.AUDITOR, (HERE,)),
]

SIGNS = {"own": "·", "no": "", "sees": "s", "two": "2", "alone": "1"}


def expected(by: Account, account: Account) -> str:
    """Return what `by` may do to an account: no, sees, two (propose), alone; own for one's own."""
    if by is account:
        return "own"
    if by.role != Role.ADMINISTRATOR:
        return "no"
    if WHOLE in by.areas:
        return "alone" if account.role in SEES_PEOPLE else "two"
    covered = [by.covers(area) for area in account.areas]
    if account.role in SEES_PEOPLE and covered and all(covered):
        return "alone"
    above = [by.covers(area, strictly=True) for area in account.areas]
    if account.role == Role.ADMINISTRATOR and above and all(above):
        return "two"
    return "sees" if any(covered) else "no"


PAIRS = list(product(ACCOUNTS, ACCOUNTS))


@pytest.fixture(scope="module")
def users(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[dict[str, User]]:
    """Make the tree and everybody once; all of it goes again."""
    with django_db_blocker.unblock(), transaction.atomic():
        here, there = make_community(), make_community()
        street = Area.objects.get_parent(here)
        areas = {
            WHOLE: list(Area.objects.filter(depth=1)),
            STREET: [street],
            HERE: [here],
            THERE: [there],
            GRID: [make_grid(here)],
        }
        yield {
            account.called: make_user(
                account.role, *(area for name in account.areas for area in areas[name])
            )
            for account in ACCOUNTS
        }
        transaction.set_rollback(True)


@dataclass(frozen=True)
class Asked:
    """Somebody who asks pages about accounts; whatever was done is undone."""

    client: Client
    user: User

    @classmethod
    def by(cls, user: User) -> "Asked":
        client = Client()
        client.force_login(user)
        return cls(client, user)

    def listed(self, users: dict[str, User]) -> set[str]:
        """Return who stands in the list of accounts."""
        page = self.client.get(reverse("people_list"))
        rows = {row.pk for row in page.context["page"].rows} if page.status_code == 200 else set()
        return {called for called, user in users.items() if user.pk in rows}

    def done(self, page: str, account: User, **data: object) -> str:
        """Return what became of an act: no, two (it was proposed), alone."""
        with transaction.atomic():
            before = self._counts(account)
            answer = self.client.post(reverse(page, args=[account.key]), data)
            proposed, issued, active = self._counts(account)
            transaction.set_rollback(True)
        if answer.status_code in {403, 404}:
            assert (proposed, issued, active) == before
            return "no"
        if proposed > before[0]:
            assert (issued, active) == before[1:]
            return "two"
        return "alone" if (issued, active) != before[1:] else "no"

    @staticmethod
    def _counts(account: User) -> tuple[int, int, bool]:
        return (
            AccountProposal.objects.filter(account=account).count(),
            ActivationCode.objects.filter(account=account).count(),
            User.objects.get(pk=account.pk).is_active,
        )


@pytest.mark.parametrize("by", ACCOUNTS, ids=lambda account: account.called)
class TestAnybody:
    def test_sees_the_accounts_of_their_areas_only(
        self, by: Account, users: dict[str, User]
    ) -> None:
        may = {account.called: expected(by, account) for account in ACCOUNTS}
        administers = by.role == Role.ADMINISTRATOR
        asked = Asked.by(users[by.called])

        listed = asked.listed(users)

        assert listed == {called for called, what in may.items() if administers and what != "no"}
        for called, user in users.items():
            page = asked.client.get(reverse("person_change", args=[user.key]))
            assert (page.status_code == 200) == (called in listed)
            if may[called] == "sees":
                assert "<form method" not in page.content.decode().split("</header>")[-1]

    def test_resets_re_roles_and_closes_whom_they_may_alone_or_as_one_of_two(
        self, by: Account, users: dict[str, User]
    ) -> None:
        asked = Asked.by(users[by.called])
        for account in ACCOUNTS:
            user = users[account.called]
            may = expected(by, account)
            acts = may if may in {"alone", "two"} else "no"
            another = Role.GRID_STAFF if account.role != Role.GRID_STAFF else Role.SUPERVISOR
            said = {"name": user.name, "employer": user.employer, "role": another}
            areas = [area.pk for area in user.areas.all()]

            assert asked.done("person_reset", user, way="paper") == acts
            factor = asked.done("person_reset", user, way="paper", factor="on")
            assert factor == ("no" if acts == "no" else "two")
            assert asked.done("person_deactivate", user) == acts
            roles = asked.done("person_change", user, **said, areas=areas)
            assert roles == ("no" if acts == "no" else "two")


def section() -> str:
    """Return the part of docs/access.md about accounts."""
    counts = Counter(expected(by, account) for by, account in PAIRS)
    head = [
        "",
        "## Whose account",
        "",
        "Everybody in a row, asked about the account of everybody in a column, by the pages for"
        " seeing,",
        "resetting, re-roling and closing it (`tests/portal/test_access_accounts.py`): **1** acts"
        " alone; **2** proposes,",
        "and a second administrator of another employer approves; **s** sees name, role, employer"
        " and areas; empty:",
        "the account is not there. Whoever acts alone needs a second one, too, for a role, an"
        " employer or a second",
        "factor. What has no area belongs to the administrators of the whole, as API keys do.",
        "",
        "| | account |",
        "|---|---|",
        *(f"| {number} | {account.called} |" for number, account in enumerate(ACCOUNTS, 1)),
        "",
        f"| who | {' | '.join(str(number) for number in range(1, len(ACCOUNTS) + 1))} |",
        f"|---|{'---|' * len(ACCOUNTS)}",
    ]
    rows = [
        f"| {number} {by.called} | {' | '.join(_signs(by))} |"
        for number, by in enumerate(ACCOUNTS, 1)
        if by.role == Role.ADMINISTRATOR
    ]
    foot = [
        "",
        f"{len(PAIRS)} pairs: {counts['alone']} alone, {counts['two']} by two, {counts['sees']}"
        f" seen only, {counts['no']} not there, {counts['own']} their own. Grid staff, supervisors"
        " and auditors see no account but their own.",
    ]
    return "\n".join([*head, *rows, *foot]) + "\n"


def _signs(by: Account) -> list[str]:
    return [SIGNS[expected(by, account)] for account in ACCOUNTS]
