"""Messages about whitelist workers: their entry ends, their proof does."""

from datetime import date, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area
from reminders import inbox
from reminders.models import Message
from reminders.sweep import sweep
from residents.whitelist import services
from residents.whitelist.models import Worker
from tests.factories import (
    NOW,
    make_place,
    make_proof,
    make_resident,
    make_user,
    make_worker,
    moment,
)

pytestmark = pytest.mark.django_db

TODAY = NOW.date()
DAY = timedelta(days=1)


@pytest.fixture
def shanxi() -> Area:
    return make_place("shanxi-2022-38", "140930")


@pytest.fixture
def worker(shanxi: Area) -> Worker:
    return make_worker(make_resident(grid=shanxi), until=TODAY + 30 * DAY)


def told(worker: Worker) -> list[tuple[str, date, bool]]:
    rows = Message.objects.filter(worker=worker).order_by("pk")
    return list(rows.values_list("kind", "day", "late"))


def holding(worker: Worker, on: date) -> list[str]:
    user = make_user("grid_staff", worker.resident.grid)
    holding = inbox.inbox_messages(user, today=on).filter(still_holds=True)  # type: ignore[misc]
    return list(holding.values_list("kind", flat=True))


def at(day: date) -> datetime:
    return moment(day, 8)


class TestAnEntry:
    def test_is_told_of_once_in_its_last_week(self, worker: Worker) -> None:
        make_proof(worker.resident, at(worker.valid_until - 8 * DAY))
        sweep(at=at(worker.valid_until - 8 * DAY))
        assert told(worker) == []
        for days in (7, 7, 5, 3):
            make_proof(worker.resident, at(worker.valid_until - days * DAY)) if days < 7 else None
            sweep(at=at(worker.valid_until - days * DAY))
        assert [row for row in told(worker) if row[0] == "worker_ends"] == [
            ("worker_ends", worker.valid_until, False)
        ]

    def test_is_told_of_late_after_an_outage_and_not_for_ever(self, worker: Worker) -> None:
        sweep(at=at(worker.valid_until + 8 * DAY))
        assert told(worker) == []
        sweep(at=at(worker.valid_until + 2 * DAY))
        assert told(worker) == [("worker_ends", worker.valid_until, True)]

    def test_is_settled_by_renewing_it(self, worker: Worker) -> None:
        day = worker.valid_until - DAY
        sweep(at=at(day))
        assert holding(worker, day) == ["worker_ends"]
        services.renew(worker=worker, valid_until=day + 30 * DAY, at=at(day), by=make_user())
        assert holding(worker, day) == []


class TestAProof:
    def test_is_told_of_once_on_the_day_it_ends_and_settled_by_a_newer_one(
        self, worker: Worker
    ) -> None:
        make_proof(worker.resident, at(TODAY))  # good for 48 hours
        for day in (TODAY, TODAY + DAY):
            sweep(at=at(day))
            assert told(worker) == []
        for _sweep in range(2):
            sweep(at=at(TODAY + 2 * DAY))
        assert told(worker) == [("proof_ends", TODAY, False)]
        assert holding(worker, TODAY + 2 * DAY) == ["proof_ends"]
        make_proof(worker.resident, at(TODAY + 2 * DAY))
        assert holding(worker, TODAY + 2 * DAY) == []

    def test_is_not_told_of_where_no_document_asks_for_one(self) -> None:
        worker = make_worker(make_resident(grid=make_place("cangshan-2022-324", "350104")))
        make_proof(worker.resident, at(TODAY))
        sweep(at=at(TODAY + 2 * DAY))
        assert told(worker) == []


class TestTheInbox:
    def test_leads_to_the_entry(self, worker: Worker, client: Client) -> None:
        sweep(at=at(worker.valid_until))
        client.force_login(make_user("grid_staff", worker.resident.grid))
        assert "白名单到期" in client.get(reverse("inbox")).content.decode()
        message = Message.objects.get(worker=worker)
        answer = client.post(reverse("message_read", args=[message.key]))
        assert answer.headers["Location"] == reverse("worker_detail", args=[worker.key])

    def test_gives_every_worker_a_message_of_their_own(self, worker: Worker) -> None:
        other = make_worker(make_resident(grid=worker.resident.grid), until=worker.valid_until)
        sweep(at=at(worker.valid_until))
        assert len(told(worker)) == len(told(other)) == 1
