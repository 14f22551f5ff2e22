"""The purge: two people, after the term, whole, resumable, and without a way back."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pgtrigger
import pytest

from accounts.auditing import chain
from accounts.auditing.models import AuditEntry, AuditWords
from accounts.exports.models import ExportRequest
from accounts.staff.models import Area, Role, User
from portal.models import Purge
from portal.retention import certificate, inventory, purging
from portal.retention.inventory import HOLDINGS, PURGED, STAYS
from portal.retention.purging import NotFitError, PurgeHasGoneOnError, TooEarlyError
from quarantine.models import Case
from residents.closings.models import Frozen
from residents.register import services as register
from residents.register.models import Household, Resident
from residents.rosters import services as rosters
from residents.rosters.models import Roster
from testing.models import Sample
from tests.factories import NOW, make_arrival, make_grid, make_place, make_user
from tests.portal.retention.outbreaks import (
    CLOSED,
    agreed,
    close,
    community_of,
    due,
    make_known,
    purged,
)
from tests.residents.rosters import steps

pytestmark = pytest.mark.django_db


class TestTheTerm:
    @pytest.mark.parametrize(("days", "allowed"), [(-1, False), (0, True), (1, True)])
    def test_is_over_on_its_last_day(
        self, grid: Area, first: User, days: int, *, allowed: bool
    ) -> None:
        make_known(grid)
        closing = close(grid, by=first)
        at = due(closing) + timedelta(days=days)
        if allowed:
            assert purging.ask(closing=closing, at=at, by=first)
        else:
            with pytest.raises(TooEarlyError):
                purging.ask(closing=closing, at=at, by=first)


class TestTwoPeople:
    @pytest.mark.parametrize("who", ["the same", "of the same employer", "from elsewhere"])
    def test_are_two_who_are_fit(self, grid: Area, first: User, who: str) -> None:
        make_known(grid)
        purge = purging.ask(closing=(made := close(grid, by=first)), at=due(made), by=first)
        by = {
            "the same": first,
            "of the same employer": make_user(
                Role.SUPERVISOR, community_of(grid), employer=first.employer
            ),
            "from elsewhere": make_user(Role.SUPERVISOR, make_grid()),
        }[who]
        with pytest.raises(NotFitError):
            purging.approve(purge=purge, at=due(made), by=by)
        assert not purging.work(key=purge.key, at=due(made))
        assert Case.objects.exists()

    def test_decide_once(self, grid: Area, first: User, second: User) -> None:
        make_known(grid)
        made = close(grid, by=first)
        purge = purging.ask(closing=made, at=due(made), by=first)
        with pytest.raises(PurgeHasGoneOnError):
            purging.ask(closing=made, at=due(made), by=second)
        purging.refuse(purge=purge, at=due(made), by=second)
        with pytest.raises(PurgeHasGoneOnError):
            purging.approve(purge=purge, at=due(made), by=second)
        assert agreed(made, first, second)


class TestAPurge:
    def test_removes_every_table_of_the_outbreak_and_leaves_the_register(
        self, grid: Area, first: User, second: User
    ) -> None:
        make_known(grid)
        other = make_known(make_place("yingkou-2022-11", "210811"))
        kept_of_other = {each.label: each.of_person(other).count() for each in PURGED}
        rows_before = {each.label: each.rows.count() for each in STAYS}
        purge = purged(close(grid, by=first), first, second)

        person = Resident.objects.get(grid=grid, gone_as="", posts__isnull=False)
        for holding in PURGED:
            assert purge.before is not None
            assert purge.before[holding.label] >= 1, holding.label
            assert purge.removed[holding.label] == purge.before[holding.label], holding.label
            assert not holding.of_person(person).exists(), holding.label
        assert kept_of_other == {each.label: each.of_person(other).count() for each in PURGED}
        assert rows_before == {each.label: each.rows.count() for each in STAYS}
        assert person.name == "张三"
        assert person.doses.get().product == "inactivated"
        assert person.needs.get().words == "降压药"
        assert person.phone == "+8613877770001"
        assert not ExportRequest.objects.filter(area=grid).exclude(reason="").exists()
        assert Roster.objects.get(area=community_of(grid)).file_name == ""

    def test_leaves_the_audit_whole_and_leading_to_nobody(
        self, grid: Area, first: User, second: User
    ) -> None:
        resident = make_known(grid)
        subjects = {f"resident:{resident.key}", *_keys_of(resident)}
        entries = inventory.entries_about([resident.key]).count()
        assert entries
        assert AuditWords.objects.filter(entry__subject=f"resident:{resident.key}").exists()
        purge = purged(close(grid, by=first), first, second)

        assert inventory.entries_about([resident.key]).count() == entries
        assert not Resident.objects.filter(key=resident.key).exists()
        there = {each for holding in HOLDINGS.values() for each in _subjects(holding.rows)}
        assert not subjects & there
        assert not Frozen.objects.filter(closing=purge.closing).exists()
        words = AuditWords.objects.filter(entry__in=inventory.entries_about([resident.key]))
        assert not words.exists()
        assert chain.verify().findings == []

    @pytest.mark.parametrize("what", ["an arrival", "a sample"])
    def test_leaves_the_audit_of_a_later_outbreak_to_its_own_purge(
        self, grid: Area, first: User, second: User, what: str
    ) -> None:
        resident, gone = make_known(grid), make_known(grid)
        made = close(grid, by=first)
        _enter_anew(resident, what)
        by = make_user(Role.GRID_STAFF, grid)
        register.uncover(resident=resident, field="phone", reason="新一轮核实", by=by)
        entries = inventory.entries_about([resident.key])
        words = AuditWords.objects.filter(entry__in=entries).count()
        assert words > 1
        purge = purged(made, first, second)

        assert Resident.objects.filter(key=resident.key).exists()
        assert AuditWords.objects.filter(entry__in=entries).count() == words
        assert not Resident.objects.filter(key=gone.key).exists()
        assert not Frozen.objects.filter(closing=made).exists()
        assert purge.before is not None
        assert purge.before[purging.WORDS] == purge.removed[purging.WORDS]
        assert purge.certificate is not None
        assert purge.certificate["body"]["people_who_go_on"] == 1
        assert purge.certificate["body"]["people_kept"] == 0
        assert certificate.check(purge.certificate) == []

    def test_of_the_later_outbreak_cuts_off_the_audit_of_both(
        self, grid: Area, first: User, second: User
    ) -> None:
        resident = make_known(grid)
        made = close(grid, by=first)
        _enter_anew(resident, "a sample")
        purged(made, first, second)
        sample = Sample.objects.filter(resident=resident)
        sample.update(withdrawn_at=CLOSED, withdrawn_by=first)
        purged(close(grid, by=first), first, second)

        assert not Resident.objects.filter(key=resident.key).exists()
        entries = inventory.entries_about([resident.key])
        assert entries.exists()
        assert not AuditWords.objects.filter(entry__in=entries).exists()

    @pytest.mark.parametrize("is_imported", [False, True])
    def test_lets_a_later_roster_follow_people_to_their_new_pseudonyms(
        self, grid: Area, first: User, second: User, *, is_imported: bool
    ) -> None:
        resident = make_known(grid)
        resident.refresh_from_db()
        community, home = community_of(grid), resident.household
        made = close(grid, by=first)
        by = make_user(Role.SUPERVISOR, community)
        told = [resident.name, resident.number, "13900139000", grid.name, "9号楼", "1", "901"]
        take = steps.taken_over if is_imported else steps.checked
        roster = take(steps.workbook(told), community, by)
        Roster.objects.filter(pk=roster.pk).update(uploaded_at=CLOSED + timedelta(hours=1))
        purged(made, first, second)

        person = Resident.objects.get(pk=resident.pk)
        assert person.key != resident.key
        assert [row.number for row in HOLDINGS["residents_rosterrow"].of_person(person)] == [2]
        if not is_imported:
            rosters.take_over(roster=roster, at=NOW, by=by)
            assert steps.worked_on(roster).counts.get("late", 0) == 0
        person = Resident.objects.get(pk=resident.pk)
        assert person.phone == "+8613900139000"
        moved_to = person.household
        assert moved_to != home
        roster = steps.taken_back(Roster.objects.select_related("area").get(pk=roster.pk), by)
        person = Resident.objects.get(pk=resident.pk)
        assert roster.counts["restored"] == 1
        assert person.phone == "+8613877770001"
        assert person.household == home
        assert not Household.objects.filter(pk=moved_to.pk).exists()

    def test_goes_on_after_a_kill_and_counts_nothing_twice(
        self, grid: Area, first: User, second: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for _ in range(3):
            make_known(grid)
        purge = agreed(close(grid, by=first), first, second)
        monkeypatch.setattr(purging, "BATCH_SIZE", 2)
        monkeypatch.setattr(purging, "PEOPLE_AT_ONCE", 1)
        kills, at = 0, due(purge.closing)
        while not Purge.objects.get(pk=purge.pk).finished_at:
            kills += _killed_after_a_batch(purge.key, at, monkeypatch)
        done = Purge.objects.get(pk=purge.pk)

        assert kills > 10
        assert done.before == done.removed
        assert done.before is not None
        assert done.before["quarantine_case"] == 3
        assert purging.running() == []

    def test_keeps_whatever_another_outbreak_rests_on(
        self, grid: Area, first: User, second: User
    ) -> None:
        index = Case.objects.get(resident=make_known(grid))
        gone = make_known(grid)
        made = close(grid, by=first)
        newer = make_arrival(grid, on=CLOSED.date(), at=CLOSED, arrived_from="310000").case
        assert newer is not None
        with pgtrigger.ignore():  # of another household: no service would enter it
            Case.objects.filter(pk=newer.pk).update(index_case=index)
        assert purging.preview(made)["quarantine_case"] == (1, 1)
        purge = purged(made, first, second)

        assert Case.objects.filter(pk=index.pk).exists()
        assert index.events.exists()
        assert not Case.objects.filter(resident=gone).exists()
        assert purge.certificate is not None
        assert purge.certificate["body"]["people_kept"] == 1
        row = {each["table"]: each for each in purge.certificate["body"]["tables"]}
        assert row["quarantine_case"]["removed"] == row["quarantine_case"]["kept"] == 1

    def test_of_a_dry_run_changes_nothing(self, grid: Area, first: User) -> None:
        make_known(grid)
        made = close(grid, by=first)
        counted = purging.preview(made)

        assert counted["quarantine_case"] == (1, 0)
        assert {label: sum(pair) for label, pair in counted.items() if label in made.counts} == (
            made.counts
        )
        assert not Frozen.objects.filter(held=True).exists()
        assert Case.objects.exists()


def _enter_anew(resident: Resident, what: str) -> None:
    """Enter something of a later outbreak about somebody."""
    resident = Resident.objects.select_related("grid").get(pk=resident.pk)
    if what == "an arrival":
        make_arrival(
            resident.grid, on=CLOSED.date(), at=CLOSED, resident=resident, arrived_from="310000"
        )
    else:
        Sample.objects.create(
            resident=resident,
            day=CLOSED.date(),
            taken_at=CLOSED,
            taken_by=make_user(Role.GRID_STAFF, resident.grid),
            recorded_at=CLOSED,
        )


def _keys_of(resident: Resident) -> set[str]:
    return {each for holding in STAYS for each in _subjects(holding.of_person(resident))}


def _subjects(rows: Any) -> list[str]:
    name = rows.model._meta.model_name
    return [f"{name}:{row.key}" for row in rows if isinstance(getattr(row, "key", None), UUID)]


def _killed_after_a_batch(key: UUID, at: datetime, monkeypatch: pytest.MonkeyPatch) -> int:
    """Let a purge commit a batch or two and die in the next; return whether it died."""
    counted, batches = purging._count, []

    def dying(purge: Purge, label: str, number: int, at: datetime) -> None:
        if number:
            batches.append(label)
        if len(batches) > 2:  # the first transaction counts twice
            raise KeyboardInterrupt
        counted(purge, label, number, at)

    with monkeypatch.context() as patched:
        patched.setattr(purging, "_count", dying)
        try:
            purging.work(key=key, at=at)
        except KeyboardInterrupt:
            return 1
    return 0


def test_the_audit_says_who_asked_who_agreed_and_what_was_certified(
    grid: Area, first: User, second: User
) -> None:
    make_known(grid)
    purge = purged(close(grid, by=first), first, second)
    subject = f"purge:{purge.key}"
    said = dict(AuditEntry.objects.filter(subject=subject).values_list("did", "actor"))

    assert said["asked for a purge"] == first.key
    assert said["agreed to a purge"] == second.key
    assert said["certified a purge"] is None
