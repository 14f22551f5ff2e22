from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.db.utils import DatabaseError

from accounts.auditing import audit
from accounts.auditing.models import AuditEntry
from accounts.exports import ledger, requests
from accounts.exports.models import AGREED_FOR, WAITS_FOR, Export, ExportRequest
from accounts.staff.models import Area, Role, User
from tests.factories import NOW, make_community, make_grid, make_user

pytestmark = pytest.mark.django_db

State = ExportRequest.State
MINUTE = timedelta(minutes=1)


def asked(by: User, area: Area, **given: Any) -> ExportRequest:
    said = {
        "what": "residents",
        "area": area,
        "filters": {},
        "fields": ["phone"],
        "kind": "xlsx",
        "purpose": "sampling",
        "reason": "上门采样",
    }
    return requests.ask(**{**said, **given}, at=NOW, by=by)


@pytest.fixture
def community() -> Area:
    return make_community()


@pytest.fixture
def asker(community: Area) -> User:
    return make_user(Role.SUPERVISOR, community, employer="示例街道办")


@pytest.fixture
def request_(asker: User, community: Area) -> ExportRequest:
    return asked(asker, community)


def other(area: Area, **given: Any) -> User:
    return make_user(given.pop("role", Role.SUPERVISOR), area, **{"employer": "示例疾控", **given})


def entered(request: ExportRequest, by: User, *, at: Any = NOW, **given: Any) -> Export:
    said: dict[str, Any] = {"what": "residents", "area": request.area, "filters": {}, "rows": 1}
    return ledger.enter(
        **{**said, **given},
        number=ledger.next_number(),
        kind="xlsx",
        content=b"x",
        people=[],
        at=at,
        by=by,
        request=request,
    )


class TestASecondPerson:
    def test_of_another_employer_agrees(self, request_: ExportRequest, community: Area) -> None:
        second = other(community)
        requests.approve(request=request_, at=NOW + MINUTE, by=second)
        request_.refresh_from_db()

        assert request_.state(NOW + MINUTE) == State.AGREED
        assert request_.state(NOW + MINUTE + AGREED_FOR + MINUTE) == State.LAPSED
        entry = AuditEntry.objects.get(did="agreed to unmasked data")
        assert entry.actor == second.key
        assert entry.subject == audit.subject_of(request_)

    def test_who_stands_above_agrees_though_of_the_same_employer(
        self, request_: ExportRequest, community: Area
    ) -> None:
        above = other(Area.objects.get_parent(community), employer="示例街道办")
        requests.approve(request=request_, at=NOW, by=above)

        assert ExportRequest.objects.agreed(NOW).get() == request_

    def test_a_supervisor_agrees_to_what_grid_staff_ask(self, community: Area) -> None:
        grid = make_grid(community)
        request = asked(make_user(Role.GRID_STAFF, grid, employer="示例街道办"), grid)
        requests.approve(request=request, at=NOW, by=other(community, employer="示例街道办"))

        assert ExportRequest.objects.agreed(NOW).get() == request

    @pytest.mark.parametrize(
        "given",
        [
            {"employer": "示例街道办"},
            {"employer": ""},
            {"role": Role.GRID_STAFF},
            {"role": Role.AUDITOR},
            {"is_active": False},
        ],
    )
    def test_is_refused_where_not_fit(
        self, request_: ExportRequest, community: Area, given: dict[str, Any]
    ) -> None:
        with pytest.raises(requests.NotFitError):
            requests.approve(request=request_, at=NOW, by=other(community, **given))
        with pytest.raises(requests.NotFitError):
            requests.refuse(
                request=request_, reason="不需要", at=NOW, by=other(community, **given)
            )

        request_.refresh_from_db()
        assert request_.state(NOW) == State.WAITING
        assert not AuditEntry.objects.filter(did="agreed to unmasked data").exists()

    def test_is_refused_from_elsewhere_and_after_moving_away(
        self, request_: ExportRequest, community: Area
    ) -> None:
        elsewhere = other(make_community("210811"))
        moved = other(community)
        assert moved.area_paths
        moved.areas.set([])  # after the page was opened

        for by in (elsewhere, moved):
            with pytest.raises(requests.NotFitError):
                requests.approve(request=request_, at=NOW, by=by)

    def test_is_told_exactly_where_fit_to_decide(self, community: Area) -> None:
        county, street = make_community(), make_community("210811")
        above = Area.objects.get_parent(community)
        employers = ("示例街道办", "示例街道办 ", "示例疾控", "")
        askers = [
            make_user(role, area, employer=employer)
            for role in (Role.GRID_STAFF, Role.SUPERVISOR)
            for area in (community, above)
            for employer in employers[:3]
        ]
        waiting = [asked(asker, community) for asker in askers]
        seconds = [
            make_user(role, area, employer=employer)
            for role in (Role.SUPERVISOR, Role.ADMINISTRATOR, Role.GRID_STAFF)
            for area in (community, above, county, street)
            for employer in employers
        ]
        for second in (*seconds, *askers):
            told = set(ExportRequest.objects.to_decide(second, NOW))
            assert told == {
                each for each in waiting if not requests.unfit(request=each, by=second)
            }

    def test_is_not_the_first(self, request_: ExportRequest, asker: User) -> None:
        with pytest.raises(requests.NotFitError):
            requests.approve(request=request_, at=NOW, by=asker)

    def test_refuses_with_a_reason(self, request_: ExportRequest, community: Area) -> None:
        with pytest.raises(requests.ExportReasonMissingError):
            requests.refuse(request=request_, reason=" ", at=NOW, by=other(community))
        requests.refuse(request=request_, reason="名单过大", at=NOW, by=other(community))
        request_.refresh_from_db()

        assert request_.state(NOW) == State.REFUSED
        assert request_.refusal == "名单过大"
        with pytest.raises(requests.RequestNotWaitingError):
            requests.approve(request=request_, at=NOW, by=other(community))

    def test_comes_too_late_after_three_days(
        self, request_: ExportRequest, community: Area
    ) -> None:
        with pytest.raises(requests.RequestNotWaitingError):
            requests.approve(request=request_, at=NOW + WAITS_FOR, by=other(community))

    def test_comes_too_late_after_a_withdrawal(
        self, request_: ExportRequest, asker: User, community: Area
    ) -> None:
        with pytest.raises(requests.NotFitError):
            requests.withdraw(request=request_, at=NOW, by=other(community))
        requests.withdraw(request=request_, at=NOW, by=asker)

        with pytest.raises(requests.RequestNotWaitingError):
            requests.approve(request=request_, at=NOW, by=other(community))


class TestTheDatabase:
    def test_lets_nobody_approve_their_own(self, request_: ExportRequest, asker: User) -> None:
        rows = ExportRequest.objects.filter(pk=request_.pk)
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(approved_by=asker, approved_at=NOW, valid_until=NOW + AGREED_FOR)
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(refused_by=asker, refused_at=NOW)

    @pytest.mark.parametrize("given", [{"is_active": False}, {"role": Role.GRID_STAFF}])
    def test_lets_nobody_approve_who_may_not(
        self, request_: ExportRequest, community: Area, given: dict[str, Any]
    ) -> None:
        rows = ExportRequest.objects.filter(pk=request_.pk)
        for by in (other(community, **given), other(make_community("210811"))):
            with pytest.raises(DatabaseError, match="approver_is_fit"), transaction.atomic():
                rows.update(approved_by=by, approved_at=NOW, valid_until=NOW + AGREED_FOR)

    def test_keeps_what_was_asked_and_decided(
        self, request_: ExportRequest, community: Area
    ) -> None:
        rows = ExportRequest.objects.filter(pk=request_.pk)
        requests.approve(request=request_, at=NOW, by=other(community))
        for change in (
            {"fields": ["phone", "number"]},
            {"filters": {"gone": "1"}},
            {"what": "cases"},
            {"valid_until": NOW + timedelta(days=9)},
            {"approved_by": other(community)},
        ):
            with pytest.raises(InternalError), transaction.atomic():
                rows.update(**change)
        with pytest.raises(InternalError), transaction.atomic():
            rows.delete()

    def test_enters_unmasked_data_only_as_agreed_once_in_time(
        self, request_: ExportRequest, asker: User, community: Area
    ) -> None:
        grid = make_grid(community)
        with pytest.raises(DatabaseError, match="agreed_on"), transaction.atomic():
            entered(request_, asker)  # nobody agreed yet
        requests.approve(request=request_, at=NOW, by=other(community))
        for wrong in (
            {"by": other(community)},
            {"by": asker, "what": "cases"},
            {"by": asker, "area": grid},
            {"by": asker, "filters": {"gone": "1"}},
            {"by": asker, "at": NOW + AGREED_FOR + MINUTE},
        ):
            with pytest.raises(DatabaseError, match="agreed_on"), transaction.atomic():
                entered(request_, **wrong)
        entered(request_, asker)
        with pytest.raises(IntegrityError), transaction.atomic():
            entered(request_, asker)

    def test_changes_and_removes_nothing_of_the_ledger(self, asker: User, community: Area) -> None:
        export = ledger.enter(
            number=ledger.next_number(),
            what="residents",
            area=community,
            filters={},
            kind="csv",
            content=b"x",
            rows=0,
            people=[],
            at=NOW,
            by=asker,
        )
        rows = Export.objects.filter(pk=export.pk)

        with pytest.raises(InternalError), transaction.atomic():
            rows.update(rows=1)
        with pytest.raises(InternalError), transaction.atomic():
            rows.delete()


class TestSomebodyWhoAsks:
    def test_gives_a_reason(self, asker: User, community: Area) -> None:
        with pytest.raises(requests.ExportReasonMissingError):
            asked(asker, community, reason="  ")

    def test_has_few_requests_wait_at_a_time(self, asker: User, community: Area) -> None:
        for _each in range(requests.MOST_WAITING):
            asked(asker, community)

        with pytest.raises(requests.TooManyWaitError):
            asked(asker, community)

    def test_is_told_the_answer_until_they_saw_it(
        self, request_: ExportRequest, asker: User, community: Area
    ) -> None:
        def told() -> list[ExportRequest]:
            return list(ExportRequest.objects.answered_to(asker, NOW).filter(answer_seen_at=None))

        requests.note_answer(request=request_, at=NOW, by=asker)
        assert told() == []
        second = other(community)
        requests.refuse(request=request_, reason="理由", at=NOW, by=second)
        requests.note_answer(request=request_, at=NOW, by=second)
        assert told() == [request_]
        requests.note_answer(request=request_, at=NOW, by=asker)
        assert told() == []
        assert list(ExportRequest.objects.answered_to(asker, NOW)) == [request_]
        assert not ExportRequest.objects.answered_to(asker, NOW + WAITS_FOR + MINUTE)

    def test_withdraws_also_what_was_agreed_on(
        self, request_: ExportRequest, asker: User, community: Area
    ) -> None:
        requests.approve(request=request_, at=NOW, by=other(community))
        requests.withdraw(request=request_, at=NOW, by=asker)

        assert not ExportRequest.objects.agreed(NOW).exists()
        with pytest.raises(DatabaseError, match="agreed_on"), transaction.atomic():
            entered(request_, asker)
