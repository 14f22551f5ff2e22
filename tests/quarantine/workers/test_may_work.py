"""Whether whitelist workers may work now, and why."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils.translation import override
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area
from policy.engine.decisions.facts import Proof
from policy.engine.decisions.people import whitelist as ask_engine
from policy.services import library
from quarantine.acts.release import release
from quarantine.workers.may_work import Answer, WorkStatus, work_statuses_of
from quarantine.workers.required_proofs import without_proof
from residents.register.models import Resident
from residents.whitelist import services
from residents.whitelist.models import Worker
from tests.factories import (
    NOW,
    make_arrival,
    make_place,
    make_proof,
    make_resident,
    make_result,
    make_user,
    make_worker,
    moment,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
HOURS = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def shanxi() -> Area:
    """Shanxi 10: no work without a negative proof; 48 hours by default."""
    return make_place("shanxi-2022-38", "140930")


@pytest.fixture
def yingkou() -> Area:
    return make_place("yingkou-2022-11", "210800")


def worker_in(grid: Area, **given: object) -> Worker:
    return make_worker(make_resident(grid=grid), **given)  # type: ignore[arg-type]


def work_status(worker: Worker, at: datetime = NOW) -> WorkStatus:
    return work_statuses_of(
        [Worker.objects.select_related("resident__grid").get(pk=worker.pk)], at=at
    )[worker.pk]


class TestAPositive:
    @pytest.fixture
    def released(self) -> Worker:
        """Somebody released in Cangshan (6) by two results of Ct 36."""
        worker = worker_in(make_place("cangshan-2022-324", "350104"))
        start = TODAY - timedelta(days=20)
        case = make_arrival(
            worker.resident.grid,
            on=start,
            resident=worker.resident,
            exposure="infected",
            clinical="mild",
        ).case
        assert case
        for number in (6, 7):
            on = start + timedelta(days=number - 1)
            make_result(case, on, outcome="positive", ct="36")
        assert release(cases=[case], at=moment(on, 16), by=make_user()).released
        return worker

    def test_that_the_law_let_pass_at_release_is_none_at_the_gate(self, released: Worker) -> None:
        assert work_status(released).answer == Answer.WORK

    def test_below_the_limit_of_the_law_is_one(self, yingkou: Area) -> None:
        worker = worker_in(yingkou)
        make_proof(worker.resident, NOW - 6 * HOURS, outcome="positive")

        assert work_status(worker).answer == Answer.NO_WORK

    def test_after_the_release_is_one(self, released: Worker) -> None:
        make_proof(released.resident, NOW - 6 * HOURS, outcome="positive")

        assert work_status(released).answer == Answer.NO_WORK

    def test_is_no_sample_without_a_result(self, released: Worker) -> None:
        make_proof(released.resident, NOW - 6 * HOURS, outcome="lost")

        assert work_status(released).answer == Answer.WORK


class TestAProof:
    @pytest.mark.parametrize(
        ("age", "answer"),
        [
            (48 * HOURS - MINUTE, Answer.WORK),
            (48 * HOURS, Answer.WORK),
            (48 * HOURS + MINUTE, Answer.NO_WORK),
        ],
    )
    def test_holds_for_forty_eight_hours_from_its_sample(
        self, shanxi: Area, age: timedelta, answer: Answer
    ) -> None:
        worker = worker_in(shanxi)
        make_proof(worker.resident, NOW - age)
        found = work_status(worker)
        assert found.answer == answer
        assert found.proof_until == NOW - age + 48 * HOURS
        wanting = without_proof(Worker.objects.all(), at=NOW)
        assert wanting.filter(pk=worker.pk).exists() == (answer != Answer.WORK)

    def test_is_missing_before_the_first_result(self, shanxi: Area) -> None:
        worker = worker_in(shanxi)
        assert work_status(worker).answer == Answer.NO_WORK
        make_proof(worker.resident, NOW - HOURS)  # its result comes an hour from now
        assert work_status(worker).answer == Answer.NO_WORK
        assert work_status(worker, NOW + HOURS).answer == Answer.WORK

    def test_is_undone_by_a_later_positive_result(self, shanxi: Area) -> None:
        worker = worker_in(shanxi)
        make_proof(worker.resident, NOW - 30 * HOURS)
        make_proof(worker.resident, NOW - 3 * HOURS, outcome="positive")
        assert work_status(worker).answer == Answer.NO_WORK

    def test_is_not_asked_for_where_the_document_asks_none(self) -> None:
        cangshan = make_place("cangshan-2022-324", "350104")
        found = work_status(worker_in(cangshan))
        assert found.answer == Answer.WORK
        assert found.listing
        assert "proof" not in found.listing.duties
        assert not without_proof(Worker.objects.all(), at=NOW).exists()

    @given(minutes=st.integers(-3000, 6000))
    def test_is_judged_as_the_engine_judges_it(self, minutes: int) -> None:
        law = library().law("shanxi-2022-38")
        told = ask_engine(law, "police", NOW, Proof(NOW - minutes * MINUTE))
        assert told.may_work == (0 <= minutes <= 48 * 60)


class TestAnEntry:
    @pytest.mark.parametrize(
        ("days", "answer"),
        [(-1, Answer.DESK), (0, Answer.WORK), (30, Answer.WORK), (31, Answer.DESK)],
    )
    def test_holds_from_its_first_day_to_its_last(
        self, yingkou: Area, days: int, answer: Answer
    ) -> None:
        worker = worker_in(yingkou, on=TODAY, until=TODAY + timedelta(days=30))
        assert work_status(worker, NOW + timedelta(days=days)).answer == answer

    def test_is_one_for_one_person(self, yingkou: Area) -> None:
        worker = worker_in(yingkou)
        with pytest.raises(services.AlreadyListedError):
            make_worker(worker.resident)

    def test_leads_to_the_desk_when_symptoms_were_noted_today(self, yingkou: Area) -> None:
        worker, by = worker_in(yingkou), make_user()
        for well, answer in ((False, Answer.DESK), (True, Answer.WORK)):
            services.keep_duty(worker=worker, duty="health_monitoring", well=well, at=NOW, by=by)
            assert work_status(worker).answer == answer

    def test_leads_to_the_desk_when_a_test_of_the_post_is_overdue(self, yingkou: Area) -> None:
        worker = worker_in(yingkou, screening_post="supermarket")  # Yingkou 9: Monday, Thursday
        assert work_status(worker).answer == Answer.DESK
        make_proof(worker.resident, NOW - 24 * HOURS)
        assert work_status(worker).answer == Answer.WORK


class TestAMeasure:
    def test_goes_before_the_white_list(self, yingkou: Area) -> None:
        worker = worker_in(yingkou)
        make_arrival(
            yingkou, on=date(2022, 11, 20), resident=worker.resident, arrived_from="310000"
        )
        with override("zh-hans"):
            found = work_status(worker)
            assert found.answer == Answer.NO_WORK
            assert "白名单" in found.reasons[0]


class TestManyWorkers:
    def test_cost_as_few_queries_as_one(
        self, shanxi: Area, django_assert_max_num_queries: DjangoAssertNumQueries
    ) -> None:
        for _number in range(4):
            worker_in(shanxi, screening_post="supermarket")
        workers = list(Worker.objects.select_related("resident__grid"))
        with django_assert_max_num_queries(6):
            assert len(work_statuses_of(workers, at=NOW)) == 4


class TestACode:
    def test_finds_its_worker_however_it_is_typed(self, yingkou: Area) -> None:
        worker = worker_in(yingkou)
        code = services.make_code(worker=worker, at=NOW, by=make_user())
        for typed in (code, code.lower(), f" {code[:5]}-{code[5:]} "):
            assert services.worker_by_code(typed) == worker

    def test_ends_with_a_new_one_with_revoking_and_with_the_entry(self, yingkou: Area) -> None:
        worker, by = worker_in(yingkou), make_user()
        codes = [services.make_code(worker=worker, at=NOW, by=by) for _each in range(2)]
        assert [services.worker_by_code(code) for code in codes] == [None, worker]
        services.revoke_code(worker=worker, at=NOW, by=by)
        assert services.worker_by_code(codes[1]) is None
        last = services.make_code(worker=worker, at=NOW, by=by)
        services.end(worker=worker, reason="离职", at=NOW, by=by)
        assert services.worker_by_code(last) is None
        with pytest.raises(services.EntryEndedError):
            services.make_code(worker=worker, at=NOW, by=by)

    def test_stands_nowhere_in_the_database(self, yingkou: Area) -> None:
        worker = worker_in(yingkou)
        code = services.make_code(worker=worker, at=NOW, by=make_user())
        row = worker.codes.get()
        assert code not in str(row.__dict__)
        assert Resident.objects.filter(posts__codes__token_hash=code).count() == 0


class TestTheList:
    def test_opens_in_few_queries(
        self,
        shanxi: Area,
        client: Client,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        for number in range(3):
            worker_in(shanxi, screening_post="supermarket", employer=f"示例{number}")
        make_proof(Worker.objects.latest("pk").resident, NOW - 5 * HOURS)
        client.force_login(make_user("grid_staff", shanxi))
        with time_machine.travel(NOW):
            client.get(reverse("worker_list"))  # the first page of a session saves it
            with django_assert_max_num_queries(12):
                page = client.get(reverse("worker_list")).content.decode()
            wanting = client.get(reverse("worker_list"), {"show": "proof"}).content.decode()
        assert (page.count("gate-tag-work"), page.count("gate-tag-no_work")) == (1, 2)
        assert wanting.count("gate-tag-no_work") == 2
