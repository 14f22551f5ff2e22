"""A roster says how many of its people are registered elsewhere, and not which."""

from typing import cast

import pytest
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from residents.register import elsewhere
from residents.register.elsewhere import QUESTIONS_A_DAY
from residents.register.models import Resident
from residents.rosters.models import Roster
from tests.factories import id_number, make_community, make_grid, make_resident, make_user
from tests.residents.rosters import steps

pytestmark = pytest.mark.django_db


@pytest.fixture
def grid() -> Area:
    return make_grid(make_community())


@pytest.fixture
def community(grid: Area) -> Area:
    return cast(Area, Area.objects.get_parent(grid))


@pytest.fixture
def by(community: Area) -> User:
    return make_user(Role.SUPERVISOR, community)


@pytest.fixture
def known() -> Resident:
    return make_resident(grid=make_grid(make_community()))


def line(grid: Area, number: str, door: str, name: str = "王小明") -> list[str]:
    return [name, number, "", grid.name, "3号楼", "1", door]


def sent(grid: Area, known: Resident, community: Area, by: User | None = None) -> Roster:
    rows = (line(grid, id_number(), "101"), line(grid, known.number, "102", known.name))
    return steps.checked(steps.workbook(*rows), community, by)


def page(client: Client, roster: Roster, user: User, **given: str) -> str:
    client.force_login(user)
    answer = client.get(reverse("roster_detail", args=[roster.key]), given)
    return answer.content.decode()


def labels(content: str) -> list[str]:
    """Return what the page says of each row."""
    rows = content.partition('<ol class="roster-rows">')[2]
    return [part.partition("</span>")[0] for part in rows.split('<span class="tag')[1:]]


class TestTheDryRun:
    def test_says_how_many_and_not_which(
        self, client: Client, grid: Area, known: Resident, community: Area, by: User
    ) -> None:
        roster = sent(grid, known, community, by)
        assert roster.counts["referred"] == 1
        assert steps.in_balance(roster)

        for shown in ("", "new"):
            content = page(client, roster, by, show=shown)
            assert len(set(labels(content))) == 1
            assert len(labels(content)) == 2
            assert "其中1行" in content
        assert not labels(page(client, roster, by, show="referred"))

    def test_shows_which_to_a_supervisor_of_both_areas(
        self, client: Client, grid: Area, known: Resident, community: Area
    ) -> None:
        roster = sent(grid, known, community)
        above = make_user(Role.SUPERVISOR, community, known.grid)
        assert len(labels(page(client, roster, above, show="referred"))) == 1
        assert len(labels(page(client, roster, above, show="new"))) == 1
        assert "该证件号码已在其他辖区登记" in page(client, roster, above)

    def test_puts_a_row_without_an_address_aside_whoever_it_is(
        self, known: Resident, community: Area, by: User
    ) -> None:
        rows = [
            [name, number, "", "", "", "", ""]
            for name, number in (("王小明", id_number()), (known.name, known.number))
        ]
        roster = steps.checked(steps.workbook(*rows), community, by)
        assert (roster.counts["rejected"], roster.counts["referred"]) == (2, 0)

    def test_puts_a_namesake_of_ones_own_aside_whoever_it_is(
        self, grid: Area, community: Area, by: User
    ) -> None:
        known = make_resident(grid=make_grid(make_community()), number=id_number())
        make_resident(
            grid=grid,
            name="李大明",
            document_type=Resident.DocumentType.TO_FOLLOW,
            number=" ",
            birth_date=known.birth_date,
        )
        numbers = (id_number(), known.number)
        rows = [line(grid, number, f"10{n}", "李大明") for n, number in enumerate(numbers)]
        roster = steps.checked(steps.workbook(*rows), community, by)
        assert (roster.counts["duplicate"], roster.counts["referred"]) == (2, 0)

    def test_does_not_tell_in_the_rows_to_correct(
        self, client: Client, grid: Area, known: Resident, community: Area, by: User
    ) -> None:
        roster = sent(grid, known, community, by)
        assert reverse("roster_mend", args=[roster.key]) not in page(client, roster, by)

    def test_is_on_record_and_counts(
        self, grid: Area, known: Resident, community: Area, by: User
    ) -> None:
        roster = sent(grid, known, community, by)
        entry = AuditEntry.objects.get(did=elsewhere.LEARNED)
        assert (entry.actor, entry.subject) == (by.key, f"roster:{roster.key}")

    def test_is_refused_to_who_has_asked_too_often(
        self, client: Client, grid: Area, known: Resident, community: Area, by: User
    ) -> None:
        for _ in range(QUESTIONS_A_DAY):
            elsewhere.note(by=by)
        for number in (known.number, id_number()):  # neither tells whether it is known
            one = steps.workbook(line(grid, number, "101"))
            roster = steps.checked(one, community, by)
            assert roster.state == Roster.State.REFUSED
            assert not roster.rows.exists()
            assert "跨辖区调阅次数过多" in page(client, roster, by)

    def test_is_answered_up_to_the_last_question(
        self, grid: Area, known: Resident, community: Area, by: User
    ) -> None:
        for _ in range(QUESTIONS_A_DAY - 1):
            elsewhere.note(by=by)
        assert sent(grid, known, community, by).state == Roster.State.CHECKED
        assert sent(grid, known, community, by).state == Roster.State.REFUSED

    def test_names_no_row_by_the_address_of_the_next_page(
        self,
        client: Client,
        grid: Area,
        known: Resident,
        by: User,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr("residents.views.rosters.ROWS", 1)
        community = by.areas.get()
        people = (known, make_resident(grid=known.grid))
        rows = [line(grid, one.number, f"10{n}", one.name) for n, one in enumerate(people)]
        roster = steps.checked(steps.workbook(*rows), community, by)
        assert roster.counts["referred"] == 2
        assert "after=" not in page(client, roster, by, show="referred")

    def test_about_ones_own_people_asks_nothing(
        self, grid: Area, community: Area, by: User
    ) -> None:
        for _ in range(QUESTIONS_A_DAY):
            elsewhere.note(by=by)
        own = make_resident(grid=grid)
        roster = steps.checked(
            steps.workbook(line(grid, own.number, "102", own.name)), community, by
        )
        assert roster.state == Roster.State.CHECKED


def test_who_is_registered_elsewhere_is_not_taken_over(
    client: Client, grid: Area, known: Resident, community: Area, by: User
) -> None:
    rows = (line(grid, id_number(), "101"), line(grid, known.number, "102", known.name))
    roster = steps.taken_over(steps.workbook(*rows), community, by)
    assert steps.in_balance(roster)
    known.refresh_from_db()
    assert not known.grid.path.startswith(community.path)
    assert Resident.objects.count() == 2
    assert len(set(labels(page(client, roster, by)))) == 1
