import logging
from datetime import date, datetime, timedelta
from threading import Barrier, Thread
from types import SimpleNamespace

import pytest
from django.db import connection, connections
from pytest_django import Settings

from accounts.staff.models import Area
from quarantine.models import Case
from reminders import delivery
from reminders.delivery import (
    ATTEMPTS,
    FIRST_PAUSE,
    INTERRUPTIONS,
    TROUBLES,
    begin,
    claim,
    deliver,
    mark_sent,
)
from reminders.models import Message
from reminders.sweep import sweep
from residents.register.models import Resident
from tests.factories import NOW, make_grid
from tests.reminders.cases import make_case, make_many
from tests.reminders.servers import KEY_HEADER, Gateway

pytestmark = pytest.mark.django_db
TODAY = date(2022, 11, 22)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def grid() -> Area:
    return make_grid()


def make_due(number: int = 1, *, grid: Area | None = None) -> list[Message]:
    """Make SMS that are due now."""
    make_many(number, grid=grid or make_grid(), day_1=TODAY, next_test_on=TODAY)
    sweep(at=NOW)
    return list(Message.objects.filter(channel="sms").order_by("turn", "pk"))


def lapse() -> None:
    """Let every lease run out."""
    Message.objects.exclude(leased_until=None).update(
        leased_until=datetime.fromisoformat("2020-01-01T00:00+00:00")
    )


def states() -> dict[str, int]:
    found: dict[str, int] = {}
    for state in Message.objects.filter(channel="sms").values_list("state", flat=True):
        found[state] = found.get(state, 0) + 1
    return found


class TestDeliver:
    def test_sends_each_message_once_with_its_key(self, gateway: Gateway) -> None:
        messages = make_due(45)

        assert deliver(channel="sms", at=NOW) == 45
        assert deliver(channel="sms", at=NOW) == 0
        assert dict(gateway.delivered) == {str(message.key): 1 for message in messages}
        assert states() == {"sent": 45}

    def test_tells_the_day_and_neither_name_nor_link(self, gateway: Gateway) -> None:
        case = make_case(day_1=TODAY - 2 * DAY, next_test_on=TODAY, phone="13900139000")
        sweep(at=NOW)

        deliver(channel="sms", at=NOW)
        (request,) = gateway.requests
        assert request["json"]["to"] == "+8613900139000"
        assert "11月22日" in request["json"]["text"]
        assert "第3天" in request["json"]["text"]
        assert case.resident.name not in request["json"]["text"]
        assert "http" not in request["json"]["text"]

    def test_logs_no_personal_data_when_it_fails(
        self, gateway: Gateway, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.DEBUG)
        make_due(1)
        gateway.hang_up = True

        deliver(channel="sms", at=NOW)
        phone = Resident.objects.get().phone
        assert phone not in caplog.text + str(list(Message.objects.values("trouble")))

    def test_keeps_quiet_at_night(self, gateway: Gateway) -> None:
        make_due()

        assert deliver(channel="sms", at=NOW + timedelta(hours=11)) == 0
        assert deliver(channel="sms", at=NOW + timedelta(hours=10, minutes=59)) == 1

    def test_takes_the_first_of_every_grid_before_any_second(
        self, gateway: Gateway, grid: Area
    ) -> None:
        make_many(30, grid=grid, day_1=TODAY, next_test_on=TODAY)
        small = make_due(1)[1]

        assert small.grid != grid
        deliver(channel="sms", at=NOW)
        keys = [request["headers"][KEY_HEADER] for request in gateway.requests]
        assert keys.index(str(small.key)) <= 1

    @pytest.mark.parametrize(
        "change",
        [
            {"closed_on": TODAY, "closed_as": "withdrawn"},
            {"next_test_on": TODAY + DAY},
            {"next_test_on": None},
        ],
        ids=["case closed", "sample taken", "no test asked for"],
    )
    def test_drops_what_lost_its_reason(self, gateway: Gateway, change: dict[str, object]) -> None:
        (message,) = make_due()
        Case.objects.filter(messages=message).update(**change)

        assert deliver(channel="sms", at=NOW) == 0
        assert states() == {"dropped": 1}
        assert not gateway.requests

    def test_drops_the_announcement_of_a_tomorrow_that_has_come(self, gateway: Gateway) -> None:
        make_case(day_1=TODAY, next_test_on=TODAY + DAY)
        sweep(at=NOW)

        assert deliver(channel="sms", at=NOW + DAY) == 0
        assert states() == {"dropped": 1}

    @pytest.mark.parametrize(
        "trouble", [{"status": 400}, {"status": 503}, {"hang_up": True}, {"answer": {"code": 7}}]
    )
    def test_tries_again_later_and_delivers_once(
        self, gateway: Gateway, trouble: dict[str, object]
    ) -> None:
        (message,) = make_due()
        for name, value in trouble.items():
            setattr(gateway, name, value)
        assert deliver(channel="sms", at=NOW) == 0
        gateway.status, gateway.hang_up, gateway.answer = 200, False, {"code": 0}

        assert deliver(channel="sms", at=NOW + FIRST_PAUSE / 2) == 0
        assert deliver(channel="sms", at=NOW + FIRST_PAUSE) == 1
        assert gateway.delivered[str(message.key)] == 1

    def test_gives_up_after_the_last_attempt_and_says_so(self, gateway: Gateway) -> None:
        gateway.status = 400
        make_due()

        for attempt in range(ATTEMPTS + 3):
            deliver(channel="sms", at=NOW + attempt * timedelta(hours=1))
        assert len(gateway.requests) == ATTEMPTS
        assert states() == {"failed": 1}
        assert Message.objects.undelivered().get().trouble == "HTTP 400"

    def test_lets_one_bad_row_stop_nobody(self, gateway: Gateway) -> None:
        bad = make_due(100)[0]
        assert bad.case
        with connection.cursor() as cursor:  # sealed with a key that is lost
            cursor.execute(
                "UPDATE residents_resident SET phone = '\\x63ff' WHERE id = %s",
                [bad.case.resident_id],
            )

        assert deliver(channel="sms", at=NOW) == 99
        for attempt in range(1, ATTEMPTS + 3):
            deliver(channel="sms", at=NOW + attempt * timedelta(hours=1))
        assert states() == {"sent": 99, "failed": 1}
        assert Message.objects.undelivered().get() == bad

    def test_stops_asking_a_gateway_that_is_down(self, gateway: Gateway) -> None:
        make_due(50)
        gateway.status = 503

        deliver(channel="sms", at=NOW)
        assert len(gateway.requests) == TROUBLES
        gateway.status = 200
        assert deliver(channel="sms", at=NOW) == 50 - TROUBLES

    def test_ends_in_time_for_the_sweep(
        self, gateway: Gateway, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        make_due(20)
        a_second_each = SimpleNamespace(monotonic=lambda: len(gateway.requests))
        monkeypatch.setattr("reminders.delivery.time", a_second_each)
        settings.DELIVERY_SECONDS = 3

        assert deliver(channel="sms", at=NOW) == 4
        settings.DELIVERY_SECONDS = 30
        assert deliver(channel="sms", at=NOW) == 16

    def test_connects_to_nobody_for_a_channel_without_settings(self, settings: Settings) -> None:
        settings.SMS_GATEWAY = {}

        assert deliver(channel="sms", at=NOW) == 0


class TestDeliverWhereKeysAreNotHonoured:
    @pytest.fixture(autouse=True)
    def _no_keys(self, gateway: Gateway, settings: Settings) -> None:
        settings.SMS_GATEWAY = gateway.settings(idempotency_header="")

    def test_leaves_to_a_human_what_perhaps_arrived(self, gateway: Gateway) -> None:
        make_due()
        gateway.hang_up = True

        for hour in range(3):
            deliver(channel="sms", at=NOW + hour * timedelta(hours=1))
        assert len(gateway.requests) == 1
        assert states() == {"unknown": 1}

    def test_tries_again_what_was_refused(self, gateway: Gateway) -> None:
        make_due()
        gateway.status = 400
        deliver(channel="sms", at=NOW)
        gateway.status = 200

        assert deliver(channel="sms", at=NOW + MINUTE) == 1

    def test_leaves_to_a_human_what_a_killed_worker_began(self, gateway: Gateway) -> None:
        (message,) = make_due()
        (lease,) = claim(channel="sms", at=NOW)
        begin(lease, message, on=TODAY)
        lapse()

        assert deliver(channel="sms", at=NOW) == 0
        assert states() == {"unknown": 1}
        assert not gateway.requests


class TestLease:
    @pytest.fixture(autouse=True)
    def _gateway(self, gateway: Gateway) -> None:
        pass

    def test_belongs_to_one_worker(self) -> None:
        make_due(3)

        assert len(claim(channel="sms", at=NOW, limit=2)) == 2
        assert len(claim(channel="sms", at=NOW)) == 1
        assert claim(channel="sms", at=NOW) == []

    def test_is_free_again_when_it_has_run_out(self) -> None:
        make_due()
        claim(channel="sms", at=NOW)
        lapse()

        assert len(claim(channel="sms", at=NOW)) == 1

    def test_begins_nothing_after_somebody_else_took_over(self) -> None:
        (message,) = make_due()
        (stopped,) = claim(channel="sms", at=NOW)
        lapse()
        (other,) = claim(channel="sms", at=NOW)

        assert not begin(stopped, message, on=TODAY)
        assert begin(other, message, on=TODAY)

    def test_marks_nothing_after_somebody_else_took_over(self) -> None:
        (message,) = make_due()
        (stopped,) = claim(channel="sms", at=NOW)
        begin(stopped, message, on=TODAY)
        lapse()
        delivery.settle_expired_leases(channel="sms", at=NOW)
        (other,) = claim(channel="sms", at=NOW)

        assert not mark_sent(stopped, at=NOW)
        assert states() == {"due": 1}
        assert begin(other, message, on=TODAY)
        assert mark_sent(other, at=NOW)

    def test_may_still_be_marked_by_a_worker_that_woke_up_first(self) -> None:
        (message,) = make_due()
        (slow,) = claim(channel="sms", at=NOW)
        begin(slow, message, on=TODAY)
        lapse()
        delivery.settle_expired_leases(channel="sms", at=NOW)

        assert mark_sent(slow, at=NOW)
        assert claim(channel="sms", at=NOW) == []

    def test_that_runs_out_again_and_again_ends_among_the_undelivered(self) -> None:
        (message,) = make_due()
        for _ in range(INTERRUPTIONS):
            assert states() == {"due": 1}
            (lease,) = claim(channel="sms", at=NOW)
            begin(lease, message, on=TODAY)
            lapse()
            delivery.settle_expired_leases(channel="sms", at=NOW)

        assert states() == {"failed": 1}


@pytest.mark.django_db(transaction=True)
class TestDeliverAtOnce:
    def test_shares_the_work_without_a_copy(self, gateway: Gateway) -> None:
        messages = make_due(200)
        together = Barrier(4)
        sent: list[int] = []

        def run() -> None:
            together.wait()
            sent.append(deliver(channel="sms", at=NOW))
            connections.close_all()

        threads = [Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(sent) == len(messages) == len(gateway.requests)

    def test_sends_nothing_for_cases_closed_between_claim_and_sending(
        self, gateway: Gateway
    ) -> None:
        messages = make_due(50)
        leases = {lease.pk: lease for lease in claim(channel="sms", at=NOW, limit=50)}

        for message in messages:
            Case.objects.filter(messages=message).update(closed_on=TODAY, closed_as="released")
            assert not begin(leases[message.pk], message, on=TODAY)
        assert states() == {"dropped": 50}
        assert not gateway.requests
