"""Closing an outbreak, and what frozen means."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from django.db import DatabaseError, connection, models, transaction
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from portal.retention import closing, purging, terms
from portal.retention.closing import (
    ClosingHasGoneOnError,
    ClosingReasonError,
    NothingToCloseError,
    OthersWriteError,
    StillOpenError,
)
from quarantine.cases.lifecycle import add_note
from quarantine.models import Arrival, Case, Event
from quarantine.todo.models import Todo
from reminders.models import Change, Message
from residents.closings.models import Closing, Frozen
from residents.register import services as residents
from residents.register.models import Resident
from testing.models import NATResult, Sample
from tests.concurrency import at_once
from tests.factories import (
    NOW,
    make_arrival,
    make_place,
    make_resident,
    make_user,
    moment,
)
from tests.portal.retention.outbreaks import CLOSED, close, community_of, make_known
from tests.tries import tried

pytestmark = pytest.mark.django_db


@pytest.fixture
def supervisor(grid: Area) -> User:
    return make_user(Role.SUPERVISOR, community_of(grid))


class TestClosing:
    def test_freezes_and_counts_whoever_has_data_of_the_outbreak(
        self, grid: Area, supervisor: User
    ) -> None:
        known = make_known(grid)
        make_resident(grid=grid)
        elsewhere = make_known(make_place("yingkou-2022-11", "210811"))
        made = close(grid, by=supervisor)

        assert [each.resident for each in Frozen.objects.filter(closing=made)] == [known]
        assert made.people == 1
        assert made.counts["quarantine_case"] == made.counts["quarantine_arrival"] == 1
        assert made.counts["testing_natresult"] == made.counts["testing_sample"] == 1
        assert not Frozen.objects.filter(resident=elsewhere).exists()
        entry = AuditEntry.objects.get(did="closed an outbreak")
        assert entry.subject == f"closing:{made.key}"

    @pytest.mark.parametrize("what", ["case", "sample", "todo", "message", "handover"])
    def test_waits_for_what_is_still_open(self, grid: Area, supervisor: User, what: str) -> None:
        resident = make_known(grid)
        case = Case.objects.get(resident=resident)
        if what == "case":
            Case.objects.update(closed_on=None, closed_as="")
        elif what == "sample":
            by = make_user(Role.GRID_STAFF, grid)
            Sample.objects.create(
                resident=resident, day=CLOSED, taken_at=NOW, taken_by=by, recorded_at=NOW
            )
        elif what == "todo":
            Todo.objects.update(done_at=None, done_by=None, done_event=None)
        elif what == "message":
            Message.objects.create(
                case=case,
                grid=grid,
                kind="released",
                channel="sms",
                day=NOW,
                created_at=NOW,
                not_before=NOW,
            )
        else:
            resident.handovers.update(answered_at=None, answered_by=None, accepted=None)

        with pytest.raises(StillOpenError):
            close(grid, by=supervisor)
        (blocker,) = closing.blockers(community_of(grid))
        assert blocker.number == 1

    def test_asks_for_a_reason_and_for_something_to_close(
        self, grid: Area, supervisor: User
    ) -> None:
        area = community_of(grid)
        with pytest.raises(NothingToCloseError):
            close(grid, by=supervisor)
        make_known(grid)
        with pytest.raises(ClosingReasonError):
            closing.close(area=area, reason=" ", at=CLOSED, by=supervisor)
        close(grid, by=supervisor)
        with pytest.raises(NothingToCloseError):
            close(grid, by=supervisor)

    def test_ends_what_lapsed_so_that_no_task_comes_back_to_it(
        self, grid: Area, supervisor: User
    ) -> None:
        resident = make_known(grid)
        Todo.objects.update(done_at=None, done_by=None, done_event=None)
        Resident.objects.filter(pk=resident.pk).update(gone_as="left", gone_on=NOW)
        close(grid, by=supervisor)

        assert Todo.objects.get().withdrawn_by == supervisor
        assert not Change.objects.unticked().exists()

    def test_takes_the_term_of_the_place_or_says_that_it_is_the_default(
        self, grid: Area, supervisor: User
    ) -> None:
        make_known(grid)
        made = close(grid, by=supervisor)
        assert (made.days, made.said_by) == (30, "default")
        assert made.purge_from == CLOSED.date() + timedelta(days=30)

        closing.reopen(closing=made, reason="尚有密接", at=CLOSED, by=supervisor)
        by = make_user(Role.ADMINISTRATOR, grid)
        terms.set_term(area=community_of(grid), days=14, reason="区里规定", at=CLOSED, by=by)
        again = close(grid, by=supervisor)
        assert (again.days, again.said_by) == (14, "place")


CHANGES: dict[str, tuple[type[models.Model], Callable[[Any], Any]]] = {
    "case": (Case, lambda rows: rows.update(law="other")),
    "arrival": (Arrival, lambda rows: rows.update(withdrawn_at=NOW)),
    "sample": (Sample, lambda rows: rows.update(withdrawn_at=NOW)),
    "result": (NATResult, lambda rows: rows.update(withdrawn_at=NOW)),
    "event": (Event, lambda rows: rows.update(withdrawn_at=NOW)),
    "to-do": (Todo, lambda rows: rows.update(withdrawn_at=NOW)),
    "change": (Change, lambda rows: rows.update(law="other")),
    "message": (Message, lambda rows: rows.update(trouble="x")),
    "message deleted": (Message, lambda rows: rows._raw_delete("default")),
}


class TestFrozen:
    @pytest.mark.parametrize("changed", CHANGES)
    def test_is_not_changed_and_was_before(
        self, grid: Area, supervisor: User, changed: str
    ) -> None:
        make_known(grid)
        model, change = CHANGES[changed]
        rows = model._base_manager.all()
        with tried():
            assert change(rows)
        close(grid, by=supervisor)

        with pytest.raises(DatabaseError, match="outbreak_frozen"), transaction.atomic():
            change(rows)

    def test_takes_no_new_event_and_no_new_result(self, grid: Area, supervisor: User) -> None:
        case = Case.objects.get(resident=make_known(grid))
        close(grid, by=supervisor)

        with pytest.raises(DatabaseError, match="outbreak_frozen"), transaction.atomic():
            add_note(case=case, text="补记", at=CLOSED, by=supervisor)

    def test_leaves_the_register_and_a_new_outbreak_alone(
        self, grid: Area, supervisor: User
    ) -> None:
        resident = make_known(grid)
        close(grid, by=supervisor)
        logged = make_arrival(
            grid, resident=resident, on=CLOSED.date(), arrived_from="310000", at=CLOSED
        )
        assert logged.case is not None
        add_note(case=logged.case, text="新一轮", at=CLOSED, by=supervisor)
        resident.refresh_from_db()
        residents.update(resident, resident.version, sex="female")

        assert Case.objects.filter(resident=resident).count() == 2

    def test_is_for_those_who_supervise(self, grid: Area, supervisor: User) -> None:
        make_known(grid)
        staff = make_user(Role.GRID_STAFF, grid)
        for model in (Case, Arrival):
            assert model.objects.visible_to(staff).exists()
        close(grid, by=supervisor)

        for model in (Case, Arrival):
            assert not model.objects.visible_to(staff).exists()
            assert model.objects.visible_to(supervisor).exists()

    def test_is_refused_on_a_page_with_a_sentence(
        self, client: Client, grid: Area, supervisor: User
    ) -> None:
        case = Case.objects.get(resident=make_known(grid))
        close(grid, by=supervisor)
        client.force_login(supervisor)
        page = client.get(reverse("case_detail", args=[case.key]))
        assert "疫情已结束" in page.content.decode()
        assert b'id="act-' not in page.content
        refused = client.post(
            reverse("case_act", args=[case.key, "note"]),
            {"note-text": "补记", "note-version": case.version},
        )

        assert refused.status_code == 409
        assert "已冻结" in refused.content.decode()
        assert not Event.objects.filter(case=case, kind="note", at__gte=CLOSED).exists()


class TestTakingAClosingBack:
    def test_thaws_everything(self, grid: Area, supervisor: User) -> None:
        case = Case.objects.get(resident=make_known(grid))
        made = close(grid, by=supervisor)
        closing.reopen(closing=made, reason="尚有密接", at=CLOSED, by=supervisor)

        add_note(case=case, text="补记", at=CLOSED, by=supervisor)
        with pytest.raises(ClosingHasGoneOnError):
            closing.reopen(closing=made, reason="尚有密接", at=CLOSED, by=supervisor)

    def test_is_over_once_a_purge_was_asked_for(self, grid: Area, supervisor: User) -> None:
        make_known(grid)
        made = close(grid, by=supervisor)
        purging.ask(closing=made, at=moment(made.purge_from), by=supervisor)

        with pytest.raises(ClosingHasGoneOnError):
            closing.reopen(closing=made, reason="尚有密接", at=CLOSED, by=supervisor)


@pytest.mark.django_db(transaction=True)
class TestWhileOthersWrite:
    @pytest.mark.parametrize("round_", range(3))
    def test_freezes_nothing_that_is_still_open(self, grid: Area, round_: int) -> None:
        with transaction.atomic():
            resident, others = make_known(grid), [make_resident(grid=grid) for _ in range(3)]
        supervisor, staff = (
            make_user(Role.SUPERVISOR, community_of(grid)),
            make_user(Role.GRID_STAFF, grid),
        )

        def log(person: Resident) -> Any:
            return make_arrival(
                grid, resident=person, by=staff, on=CLOSED.date(), at=CLOSED, arrived_from="310000"
            )

        people = [resident, *others]
        *_logged, closed = at_once(
            *(partial(log, person) for person in people), lambda: close(grid, by=supervisor)
        )

        assert Case.objects.open().count() == len(people)
        assert isinstance(closed, Closing | StillOpenError)
        for case in Case.objects.open():
            add_note(case=case, text="照常", at=CLOSED, by=staff)

    def test_gives_up_with_a_sentence_where_they_never_pause(
        self, grid: Area, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with transaction.atomic():
            make_known(grid)
        supervisor = make_user(Role.SUPERVISOR, community_of(grid))
        monkeypatch.setattr(closing, "ATTEMPTS", 1)
        beside = connection.copy()
        beside.set_autocommit(False)
        try:
            with beside.cursor() as cursor:
                cursor.execute("LOCK TABLE quarantine_event IN ROW EXCLUSIVE MODE")
            with pytest.raises(OthersWriteError):
                close(grid, by=supervisor)
        finally:
            beside.close()
        assert close(grid, by=supervisor).people == 1
