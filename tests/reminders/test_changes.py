"""A change of policy is told once, and corrected only where it was told."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.staff.models import Area, Role
from policy.engine.calendars import plans as engine
from policy.engine.calendars.plans import PlannedStage
from policy.engine.decisions.facts import Person
from policy.models import Provision
from quarantine.corrections.arrivals import correct_arrival
from quarantine.models import Case, Plan
from reminders import changes
from reminders.delivery import deliver
from reminders.models import Change, Message
from reminders.sweep import sweep
from tests.factories import NOW, make_arrival, make_grid, make_place, make_user
from tests.reminders.cases import make_case, make_many
from tests.reminders.servers import Gateway

pytestmark = pytest.mark.django_db
TODAY = date(2022, 11, 22)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
LATE = NOW + timedelta(hours=13)  # eleven at night in Shanghai
MORNING = NOW + timedelta(hours=22)
SEVENTH = TODAY + 6 * DAY
FIFTH = TODAY + 4 * DAY


def plan_of(
    days: int,
    *,
    document: str = "cn-2022-113",
    clause: str = "2",
    tests: tuple[int, ...] | None = None,
) -> Plan:
    """Make a plan of some days at home, tested on the first and the last, or as said."""
    provision, _ = Provision.objects.get_or_create(
        document=document, clause=clause, subject="high_risk_stay"
    )
    week = PlannedStage("home", days, tests=tests or (1, days), movement="forbidden")
    content = engine.Plan(document, clause, "high_risk_stay", stages=(week,))
    plan, _ = Plan.objects.get_or_create(
        digest=content.digest, defaults={"provision": provision, "content": content.to_json()}
    )
    return plan


def switch(case: Case, days: int, **plan: Any) -> None:
    """Move the dates of a case, as a change of policy does."""
    Case.objects.filter(pk=case.pk).update(
        plan=plan_of(days, **plan),
        release_on=case.day_1 + (days - 1) * DAY,
        law=plan.get("document", "cn-2022-113"),
    )


def switch_back(case: Case) -> None:
    Case.objects.filter(pk=case.pk).update(
        plan=case.plan, release_on=case.release_on, law=case.law
    )


def tell(at: datetime = NOW) -> None:
    sweep(at=at)
    deliver(channel="sms", at=at)


def texts(gateway: Gateway) -> list[str]:
    return [request["json"]["text"] for request in gateway.requests]


@pytest.fixture
def case() -> Case:
    return make_case(day_1=TODAY, release_on=SEVENTH)


class TestAChange:
    def test_is_told_with_both_days_clause_and_document(
        self, case: Case, gateway: Gateway
    ) -> None:
        switch(case, 5)

        tell()

        [text] = texts(gateway)
        for part in ("由11月28日改为11月26日", "按113号文件第2条，"):
            assert part in text
        change = Change.objects.get()
        assert (change.before_release_on, change.after_release_on) == (SEVENTH, FIFTH)
        assert change.messages.filter(channel="in_app", grid=case.grid).count() == 1

    def test_is_told_once_however_often_the_sweep_runs(self, case: Case, gateway: Gateway) -> None:
        switch(case, 5)

        for minute in range(3):
            tell(at=NOW + minute * MINUTE)

        assert len(texts(gateway)) == 1
        assert Message.objects.filter(kind="changed").count() == 2

    def test_is_corrected_when_it_is_taken_back_afterwards(
        self, case: Case, gateway: Gateway
    ) -> None:
        switch(case, 5)
        tell()
        switch_back(case)

        tell(at=NOW + MINUTE)

        _, second = texts(gateway)
        assert second.startswith("更正：按")
        assert second.index("11月26日") < second.index("11月28日")
        assert [change.correction for change in Change.objects.order_by("pk")] == [False, True]

    def test_taken_back_before_anybody_was_told_is_told_to_nobody(
        self, case: Case, gateway: Gateway
    ) -> None:
        switch(case, 5)
        switch_back(case)

        tell()

        assert not texts(gateway)
        assert not Change.objects.exists()

    def test_taken_back_before_the_quiet_hours_end_is_not_told_to_the_resident(
        self, case: Case, gateway: Gateway
    ) -> None:
        switch(case, 5)
        tell(at=LATE)  # staff find it in the portal; no telephone rings at night
        switch_back(case)
        tell(at=LATE + MINUTE)

        tell(at=MORNING)

        assert not texts(gateway)
        assert Change.objects.count() == 2

    def test_that_overtakes_another_unsent_one_speaks_for_both(
        self, case: Case, gateway: Gateway
    ) -> None:
        switch(case, 5)
        tell(at=LATE)
        switch(case, 3)
        tell(at=LATE + MINUTE)

        tell(at=MORNING)

        [text] = texts(gateway)
        assert text.index("11月28日") < text.index("11月24日")

    def test_of_the_clause_alone_is_told_to_nobody(self, case: Case, gateway: Gateway) -> None:
        switch(case, 7)
        Case.objects.filter(pk=case.pk).update(
            told_plan=plan_of(7, document="cn-2022-101", clause="3")
        )

        tell()

        assert not texts(gateway)
        assert not Case.objects.untold().exists()

    @pytest.mark.parametrize(
        ("last", "tests", "history", "told"),
        [
            pytest.param(TODAY - DAY, (1, 3, 5), "", 0, id="dropped, ended the day before"),
            pytest.param(TODAY, (1, 3, 5), "", 1, id="dropped on the last day"),
            pytest.param(TODAY, (1, 3, 5), "7", 0, id="dropped after it was taken"),
            pytest.param(TODAY, (1, 3, 5, 7), "", 0, id="kept on the last day"),
            pytest.param(TODAY + DAY, (1, 3, 5), "", 1, id="dropped on the day before the last"),
            pytest.param(TODAY + DAY, (1, 3, 5, 7), "", 0, id="kept on the day before the last"),
        ],
    )
    def test_of_the_last_test_alone_is_told_while_it_is_due(
        self, last: date, tests: tuple[int, ...], history: str, told: int, gateway: Gateway
    ) -> None:
        case = make_case(day_1=last - 6 * DAY, release_on=last, history=history)
        Case.objects.filter(pk=case.pk).update(plan=plan_of(7, tests=tests), law_from=TODAY)

        tell()

        assert len([text for text in texts(gateway) if text.startswith("按")]) == told

    def test_that_asks_nothing_more_on_the_last_day_says_that_no_test_is_due(
        self, gateway: Gateway
    ) -> None:
        case = make_case(day_1=TODAY - 6 * DAY, release_on=TODAY)
        freed = {"transition": "freed", "freed_on": TODAY, "law_from": TODAY}
        Case.objects.filter(pk=case.pk).update(**freed, law="cn-2022-113")

        tell()

        [text] = [text for text in texts(gateway) if text.startswith("按")]
        assert "不必再做核酸检测" in text
        assert "11月22日" in text

    def test_of_who_has_no_telephone_is_told_to_the_staff(self, gateway: Gateway) -> None:
        switch(make_case(day_1=TODAY, release_on=SEVENTH, phone=""), 5)

        tell()

        assert not texts(gateway)
        assert Message.objects.get(kind="changed").channel == "in_app"

    def test_of_a_closed_case_is_told_to_nobody(self, case: Case, gateway: Gateway) -> None:
        switch(case, 5)
        Case.objects.filter(pk=case.pk).update(closed_on=TODAY, closed_as="withdrawn")

        tell()

        assert not Change.objects.exists()

    def test_killed_in_the_middle_repeats_nothing(
        self, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(changes, "CHUNK", 10)
        cases = make_many(35, grid=make_grid(), day_1=TODAY, release_on=SEVENTH)
        for case in cases:
            switch(case, 5)
        told = [changes.tell_chunk(at=NOW, channels=["sms"]) for _ in range(2)]
        assert told == [20, 20]

        tell()

        assert Message.objects.filter(kind="changed").count() == 70
        assert len(set(Change.objects.values_list("case", flat=True))) == 35
        assert len(texts(gateway)) == 35

    def test_takes_as_many_queries_for_many_cases_as_for_few(self) -> None:
        grid = make_grid()

        def queries(number: int) -> int:
            for case in make_many(number, grid=grid, day_1=TODAY, release_on=SEVENTH):
                switch(case, 5)
            with CaptureQueriesContext(
                connection,
            ) as asked:
                changes.tell_chunk(at=NOW, channels=["sms"])
            return len(asked)

        assert queries(2) == queries(40) <= 10


class TestChangedForYou:
    @pytest.fixture
    def told(self, client: Client) -> tuple[Area, list[Change]]:
        grid = make_grid()
        for case in make_many(3, grid=grid, day_1=TODAY, release_on=SEVENTH):
            switch(case, 5)
        sweep(at=NOW)
        client.force_login(make_user(Role.GRID_STAFF, grid))
        return grid, list(Change.objects.order_by("pk"))

    def test_stands_on_today_and_in_the_navigation(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        page = client.get(reverse("today")).content.decode()

        assert reverse("change_list") in page
        assert 'class="count-badge">3<' in page

    def test_shows_both_days_and_why(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        page = client.get(reverse("change_list")).content.decode()

        for part in ("11月28日", "11月26日", "（113号）第2条", "张*"):
            assert part in page

    def test_is_gone_once_ticked_off(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        one, *_ = told[1]

        client.post(reverse("changes_tick"), {"key": one.key})

        assert str(one.key) not in client.get(reverse("change_list")).content.decode()
        assert Change.objects.unticked().count() == 2
        one.refresh_from_db()
        assert one.ticked_by is not None

    def test_leaves_a_button_for_those_who_are_left(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        one, second, third = told[1]

        answer = client.post(
            reverse("changes_tick"),
            {"key": one.key, "shown": [one.key, second.key, third.key]},
            headers={"HX-Request": "true"},
        ).content.decode()

        assert "本页2人均已告知" in answer
        assert str(one.key) not in answer
        assert Change.objects.unticked().count() == 2

    def test_of_a_page_is_ticked_off_at_once(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        client.post(reverse("changes_tick"), {"shown": [each.key for each in told[1]]})

        assert not Change.objects.unticked().exists()
        assert "count-badge" not in client.get(reverse("change_list")).content.decode()

    def test_of_others_cannot_be_ticked_off(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        client.force_login(make_user(Role.GRID_STAFF, make_grid()))

        client.post(reverse("changes_tick"), {"key": [each.key for each in told[1]]})

        assert Change.objects.unticked().count() == 3

    def test_is_counted_by_grid_for_the_supervisor(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        grid, _ = told
        client.force_login(make_user(Role.SUPERVISOR, Area.objects.get_parent(grid)))

        response = client.get(reverse("change_list"))

        assert response.context["by_grid"] == [(grid, 3)]

    def test_shows_the_last_change_of_a_case_alone(
        self, client: Client, told: tuple[Area, list[Change]]
    ) -> None:
        case = told[1][0].case
        switch(case, 3)

        sweep(at=NOW + MINUTE)

        assert Change.objects.unticked().filter(case=case).get().before_release_on == FIFTH

    def test_asks_few_queries(self, client: Client, told: tuple[Area, list[Change]]) -> None:
        with CaptureQueriesContext(connection) as asked:
            client.get(reverse("change_list"))

        assert len(asked) <= 12


class TestDaysOfTestsAlone:
    """Who is only tested has no day of release: the days move with day 1."""

    @pytest.fixture
    def tested(self) -> Case:
        grid = make_place("bayannur-2022-71", "150802")
        case = make_arrival(grid, on=TODAY - DAY, arrived_from="150200").case
        assert case
        assert case.release_on is None
        return case

    def test_are_told_when_a_correction_moved_them(self, tested: Case, gateway: Gateway) -> None:
        tell()
        assert tested.arrival
        correct_arrival(
            arrival=tested.arrival,
            facts=Person(start=TODAY, arrived_from="150200"),
            origin="150200",
            from_abroad=False,
            reason="示例更正",
            at=NOW,
            by=make_user(Role.SUPERVISOR, tested.grid),
        )

        tell()

        assert len([text for text in texts(gateway) if "核酸检测日期有变" in text]) == 1
        change = Change.objects.get()
        assert (change.before_day_1, change.after_day_1) == (TODAY - DAY, TODAY)
        assert not Case.objects.untold()

    def test_show_both_days_to_the_grid(self, tested: Case, client: Client) -> None:
        Case.objects.filter(pk=tested.pk).update(told_day_1=TODAY - 2 * DAY)
        tell()
        client.force_login(make_user(Role.GRID_STAFF, tested.grid))

        page = client.get(reverse("change_list")).content.decode()

        assert "自11月20日起" in page
        assert "自11月21日起" in page
