from datetime import date, datetime, timedelta
from threading import Barrier, Thread

import pytest
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from common import locks
from quarantine.models import Case
from reminders import health
from reminders.models import Heartbeat, Message
from reminders.sweep import sweep, sweep_digests
from tests.factories import NOW, make_community, make_grid, make_user
from tests.reminders.cases import make_case, make_many
from tests.reminders.servers import Gateway

pytestmark = pytest.mark.django_db
TODAY = date(2022, 11, 22)
DAY = timedelta(days=1)
Kind = Message.Kind


def told(**about: object) -> list[tuple[str, date]]:
    messages = Message.objects.filter(channel="in_app", **about).order_by("kind")
    return [(message.kind, message.day) for message in messages]


class TestSweep:
    @pytest.mark.parametrize(
        ("next_test_on", "kind"),
        [
            (TODAY + DAY, Kind.TEST_TOMORROW),
            (TODAY, Kind.TEST_TODAY),
            (TODAY - DAY, Kind.TEST_OVERDUE),
            (TODAY - 9 * DAY, Kind.TEST_OVERDUE),
        ],
    )
    def test_tells_of_a_test(self, next_test_on: date, kind: str) -> None:
        make_case(day_1=TODAY - 10 * DAY, next_test_on=next_test_on)

        assert sweep(at=NOW) == 1
        assert told() == [(kind, next_test_on)]

    def test_says_nothing_of_the_day_after_tomorrow(self) -> None:
        make_case(day_1=TODAY, next_test_on=TODAY + 2 * DAY, release_on=TODAY + DAY)

        assert sweep(at=NOW) == 0

    def test_tells_of_a_release_that_waits_for_a_human(self) -> None:
        make_case(day_1=TODAY - 6 * DAY, release_on=TODAY)

        sweep(at=NOW)
        assert told() == [(Kind.RELEASE_TODAY, TODAY)]

    @pytest.mark.parametrize(
        ("how", "kind"), [("released", Kind.RELEASED), ("referred", Kind.REFERRED)]
    )
    def test_tells_of_an_end(self, how: str, kind: str) -> None:
        make_case(day_1=TODAY - 6 * DAY, closed_on=TODAY, closed_as=how, next_test_on=TODAY)

        sweep(at=NOW)
        assert told() == [(kind, TODAY)]

    @pytest.mark.parametrize("how", ["withdrawn", "superseded", "completed"])
    def test_says_nothing_of_an_end_that_changes_nothing_for_anybody(self, how: str) -> None:
        make_case(day_1=TODAY - DAY, closed_on=TODAY, closed_as=how, release_on=TODAY)

        assert sweep(at=NOW) == 0

    def test_says_nothing_of_an_end_of_long_ago(self) -> None:
        make_case(day_1=TODAY - 20 * DAY, closed_on=TODAY - 7 * DAY, closed_as="released")

        assert sweep(at=NOW) == 0

    def test_tells_once_however_often_it_runs(self) -> None:
        make_case(day_1=TODAY, next_test_on=TODAY)

        assert [sweep(at=NOW + minute * timedelta(minutes=1)) for minute in range(3)] == [1, 0, 0]

    def test_tells_again_when_the_day_moves(self) -> None:
        case = make_case(day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        Case.objects.filter(pk=case.pk).update(next_test_on=TODAY + DAY)
        sweep(at=NOW)
        assert told() == [(Kind.TEST_TODAY, TODAY), (Kind.TEST_TOMORROW, TODAY + DAY)]

    def test_catches_up_with_one_message_a_case_after_three_days_without_sweeps(self) -> None:
        tested = make_case(day_1=TODAY - 3 * DAY, next_test_on=TODAY - 3 * DAY)
        released = make_case(
            day_1=TODAY - 9 * DAY, closed_on=TODAY - 2 * DAY, closed_as="released"
        )

        for minute in range(72):
            sweep(at=NOW + minute * timedelta(minutes=1))

        assert told(case=tested, late=True) == told(case=tested)
        assert told(case=tested) == [(Kind.TEST_OVERDUE, TODAY - 3 * DAY)]
        assert told(case=released, late=True) == [(Kind.RELEASED, TODAY - 2 * DAY)]

    def test_marks_nothing_late_that_is_told_on_its_day(self) -> None:
        for days in (-1, 0, 1):
            make_case(day_1=TODAY - DAY, next_test_on=TODAY + days * DAY)

        assert sweep(at=NOW) == 3
        assert told(late=True) == []

    def test_writes_to_residents_who_have_a_telephone(self, gateway: Gateway) -> None:
        make_case(day_1=TODAY, next_test_on=TODAY, phone="")
        reached = make_case(day_1=TODAY, next_test_on=TODAY)

        sweep(at=NOW)
        assert Message.objects.get(channel="sms").case == reached

    def test_leaves_a_referral_to_a_human_voice(self, gateway: Gateway) -> None:
        make_case(day_1=TODAY, closed_on=TODAY, closed_as="referred")

        sweep(at=NOW)
        assert Message.objects.get().channel == "in_app"

    def test_holds_back_by_night_what_leaves_the_portal(self, gateway: Gateway) -> None:
        night = NOW + timedelta(hours=12)  # ten at night
        make_case(day_1=TODAY, next_test_on=TODAY)

        sweep(at=night)
        assert Message.objects.get(channel="in_app").sent_at == night
        morning = datetime.fromisoformat("2022-11-23T07:30+08:00")
        assert Message.objects.get(channel="sms").not_before == morning

    def test_gives_every_grid_its_turn(self, gateway: Gateway) -> None:
        large, small = make_grid(), make_grid()
        make_many(3, grid=large, day_1=TODAY, next_test_on=TODAY)
        make_many(1, grid=small, day_1=TODAY, next_test_on=TODAY)

        sweep(at=NOW)
        sms = Message.objects.filter(channel="sms").order_by("turn", "pk")
        assert [message.grid for message in sms] == [large, small, large, large]

    def test_asks_the_database_as_often_for_many_cases_as_for_one(self) -> None:
        grid = make_grid()
        make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        with CaptureQueriesContext(connection) as one:
            sweep(at=NOW)
        make_many(50, grid=grid, day_1=TODAY, next_test_on=TODAY)

        with CaptureQueriesContext(connection) as many:
            assert sweep(at=NOW) == 50
        assert len(many) == len(one)

    def test_drops_a_failed_message_that_nobody_needs_any_more(self, gateway: Gateway) -> None:
        case = make_case(day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        Message.objects.filter(channel="sms").update(state="failed")

        sweep(at=NOW)
        assert Message.objects.undelivered().count() == 1
        Case.objects.filter(pk=case.pk).update(next_test_on=TODAY + DAY)
        sweep(at=NOW)
        assert Message.objects.undelivered().count() == 0

    def test_drops_what_waits_for_a_channel_that_is_gone(
        self, gateway: Gateway, settings: Settings
    ) -> None:
        make_case(day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        settings.SMS_GATEWAY = {}

        sweep(at=NOW + DAY)
        assert Message.objects.get(channel="sms").state == "dropped"

    def test_shows_that_it_ran(self) -> None:
        Heartbeat.objects.update(at=NOW)
        assert health.sweeps_stopped()

        sweep(at=NOW)
        assert not health.sweeps_stopped()


@pytest.mark.django_db(transaction=True)
class TestTwoSweepsAtOnce:
    def test_tell_once(self, gateway: Gateway) -> None:
        make_many(300, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        together = Barrier(4)
        made: list[int] = []

        def run() -> None:
            together.wait()
            made.append(sweep(at=NOW))
            connections.close_all()

        threads = [Thread(target=run) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert sum(made) == Message.objects.count() == 600

    def test_leave_the_sign_of_life_to_the_one_at_work(self) -> None:
        Heartbeat.objects.update_or_create(sweep="sweep", defaults={"at": NOW})
        with locks.held(locks.REMINDERS):
            assert sweep(at=NOW) == 0
            assert health.sweeps_stopped()


class TestSweepDigests:
    def test_writes_one_a_grid_and_morning(self, settings: Settings) -> None:
        settings.EMAIL_URL = "smtp://127.0.0.1"
        grid, empty = make_grid(), make_grid()
        make_user("grid_staff", grid, email="lin@example.org")
        make_user("grid_staff", empty, email="chen@example.org")
        make_case(grid=grid, day_1=TODAY)
        make_case(grid=make_grid(), day_1=TODAY)  # its staff have no address

        assert [sweep_digests(at=NOW + hour * timedelta(hours=1)) for hour in range(3)] == [
            1,
            0,
            0,
        ]
        message = Message.objects.get()
        assert (message.grid, message.case, message.day) == (grid, None, TODAY)
        assert sweep_digests(at=NOW + DAY) == 1

    def test_waits_for_its_hour(self, settings: Settings) -> None:
        settings.EMAIL_URL = "smtp://127.0.0.1"
        grid = make_grid()
        make_user("grid_staff", grid, email="lin@example.org")
        make_case(grid=grid, day_1=TODAY)

        early = datetime.fromisoformat("2022-11-22T07:29+08:00")
        assert sweep_digests(at=early) == 0
        assert sweep_digests(at=early + timedelta(minutes=1)) == 1

    def test_reaches_the_grids_below_a_robot(self, settings: Settings) -> None:
        community, elsewhere = make_community(), make_grid()
        grid = make_grid(community)
        settings.ROBOTS = [
            {"area": community.code, "channel": "wecom", "url": "http://127.0.0.1:9"}
        ]
        make_case(grid=grid, day_1=TODAY)
        make_case(grid=elsewhere, day_1=TODAY)

        sweep_digests(at=NOW)
        assert [(message.grid, message.channel) for message in Message.objects.all()] == [
            (grid, "wecom")
        ]
