"""Acts on a case from its page and from today's cards, and taking them back."""

import math
import re
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area, User
from common.paging import page_after
from quarantine.acts import results
from quarantine.arrivals.services import Logged
from quarantine.lists.worklist import Card
from quarantine.models import Case, Event
from quarantine.views.cases import load_case_page
from residents.register.models import Building, Household
from testing.models import NATResult, Sample
from tests import factories
from tests.factories import NOW

Arrive = Callable[..., Logged]


@pytest.fixture
def case(arrive: Arrive) -> Case:
    """Return a case on its third day: the first test is overdue, the second due today."""
    logged = arrive(days=2)
    assert logged.case
    return Case.objects.get(pk=logged.case.pk)


@pytest.fixture
def ready(arrive: Arrive, staff: User) -> Case:
    """Return a case whose seventh day was yesterday, every test negative."""
    logged = arrive(days=7)
    assert logged.case
    for back in (7, 5, 3, 1):
        case = Case.objects.get(pk=logged.case.pk)
        at = NOW - timedelta(days=back)
        sample = results.take_sample(case=case, taken_at=at, at=at, by=staff)
        results.record_result(
            sample=sample,
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=at,
            at=at,
            by=staff,
        )
    return Case.objects.get(pk=logged.case.pk)


def do(client: Client, case: Case, act: str, **fields: Any) -> Any:
    htmx = fields.pop("htmx", False)
    data = {f"{act}-{name}": value for name, value in fields.items()}
    headers = {"accept-language": "en"}
    if htmx:
        headers |= {"hx-request": "true", "hx-target": f"card-{case.key}"}
    return client.post(reverse("case_act", args=[case.key, act]), data, headers=headers)


class TestCaseAct:
    def test_takes_a_sample_and_answers_with_the_card_and_its_undo(
        self, as_staff: Client, case: Case
    ) -> None:
        page = do(as_staff, case, "sample", htmx=True).content.decode()
        sample = Sample.objects.get()
        assert f'id="card-{case.key}"' in page
        assert "Result of November 22 awaited" in page
        assert reverse("undo_sample", args=[sample.key]) in page

    @pytest.mark.parametrize(
        ("act", "typed"), [("sample", {}), ("check", {"symptoms": ["cough"], "key": uuid4()})]
    )
    def test_asks_again_on_a_page_that_was_left_open_over_midnight(
        self, act: str, typed: dict[str, Any], as_staff: Client, case: Case
    ) -> None:
        yesterday = (NOW - timedelta(days=1)).date()
        before = Event.objects.count()

        page = do(as_staff, case, act, shown_on=yesterday.isoformat(), **typed)

        assert "a new day has begun" in page.content.decode()
        assert (Sample.objects.count(), Event.objects.count()) == (0, before)
        form = dict(page.context["acts"])[act]
        assert form["shown_on"].value() == NOW.date().isoformat()
        assert form.data.getlist("check-symptoms") == typed.get("symptoms", [])

    def test_shows_the_card_of_today_after_a_tap_on_that_of_yesterday(
        self, as_staff: Client, case: Case
    ) -> None:
        yesterday = (NOW - timedelta(days=1)).date()

        page = do(as_staff, case, "sample", shown_on=yesterday.isoformat(), htmx=True)

        assert "a new day has begun" in page.content.decode()
        assert f'name="sample-shown_on" value="{NOW.date()}"' in page.content.decode()
        assert not Sample.objects.exists()
        do(as_staff, case, "sample", shown_on=NOW.date().isoformat(), htmx=True)
        assert Sample.objects.get().day == NOW.date()

    def test_takes_the_moment_that_was_given_on_whatever_page(
        self, as_staff: Client, case: Case
    ) -> None:
        yesterday = NOW - timedelta(days=1)
        typed = {"shown_on": yesterday.date(), "taken_at": f"{yesterday:%Y-%m-%dT%H:%M}"}

        do(as_staff, case, "sample", **typed)

        assert Sample.objects.get().day == yesterday.date()

    def test_works_without_scripts(self, as_staff: Client, case: Case) -> None:
        answer = do(as_staff, case, "sample")
        assert answer.url == reverse("case_detail", args=[case.key])
        assert Sample.objects.count() == 1

    def test_enters_a_negative_result(self, as_staff: Client, case: Case) -> None:
        do(as_staff, case, "sample")
        do(as_staff, case, "result", sample=Sample.objects.get().key, outcome="negative")
        assert NATResult.objects.get().outcome == "negative"

    def test_enters_a_positive_result_and_refers(self, as_staff: Client, case: Case) -> None:
        do(as_staff, case, "sample")
        sample = Sample.objects.get()
        do(as_staff, case, "result", sample=sample.key, outcome="positive", ct="22.5")
        case.refresh_from_db()
        assert case.closed_as == "referred"

    def test_marks_a_test_as_missed(self, as_staff: Client, case: Case) -> None:
        do(as_staff, case, "missed", day="2022-11-20", reason="家中无人")
        assert Event.objects.get(kind="test_missed").reason == "家中无人"

    def test_records_no_reason_that_nobody_gave(self, as_staff: Client, case: Case) -> None:
        page = as_staff.get(reverse("today")).content.decode()
        assert 'name="missed-day"' in page
        assert 'name="missed-reason"' not in page

        do(as_staff, case, "missed", day="2022-11-20")

        assert Event.objects.get(kind="test_missed").reason == ""
        page = as_staff.get(reverse("case_detail", args=[case.key])).content.decode()
        assert "未说明原因" in page

    def test_repeats_symptoms_and_no_temperature_that_nobody_took(
        self, as_staff: Client, case: Case
    ) -> None:
        do(as_staff, case, "check", temperature="36.5", symptoms=["cough"], key=uuid4())

        page = as_staff.get(reverse("case_detail", args=[case.key])).content.decode()

        assert "症状与" in page
        assert 'name="check-symptoms" value="cough"' in page
        assert 'name="check-temperature" value="36.5"' not in page

    @pytest.mark.parametrize(
        ("act", "typed"),
        [
            ("check", {"temperature": "36.5", "symptoms": ["cough", "fever"], "note": "说明"}),
            ("note", {"text": "说明"}),
            (
                "outing",
                {
                    "day": NOW.date().isoformat(),
                    "purpose": "medical",
                    "vehicle": "escorted",
                    "mask": "n95",
                    "reason": "血透",
                },
            ),
        ],
    )
    def test_writes_once_what_the_same_form_says_twice(
        self, act: str, typed: dict[str, Any], as_staff: Client, case: Case
    ) -> None:
        page = as_staff.get(reverse("case_detail", args=[case.key])).context["acts"]
        key = next(form for name, form in page if name == act)["key"].value()
        before = Event.objects.count()
        first, second = (do(as_staff, case, act, key=key, **typed) for _ in range(2))
        assert first.url == second.url
        assert Event.objects.count() == before + 1

    def test_makes_two_taps_on_a_card_one_check(self, as_staff: Client, case: Case) -> None:
        page = as_staff.get(reverse("today")).content.decode()
        (key,) = re.findall(r'name="check-key" value="([^"]+)"', page)
        do(as_staff, case, "check", key=key)
        do(as_staff, case, "check", key=key)
        assert Event.objects.filter(kind="check").count() == 1

    def test_writes_what_was_corrected_after_going_back(
        self, as_staff: Client, case: Case
    ) -> None:
        key = uuid4()
        do(as_staff, case, "note", key=key, text="电话未接")
        do(as_staff, case, "note", key=key, text="电话已接")
        notes = Event.objects.filter(kind="note").order_by("pk")
        assert [event.note for event in notes] == ["电话未接", "电话已接"]

    def test_writes_again_what_was_taken_back(self, as_staff: Client, case: Case) -> None:
        key = uuid4()
        do(as_staff, case, "note", key=key, text="电话未接")
        as_staff.post(reverse("undo_event", args=[Event.objects.get(kind="note").pk]))
        do(as_staff, case, "note", key=key, text="电话未接")
        assert Event.objects.valid().filter(kind="note").count() == 1

    def test_keeps_the_form_with_what_is_wrong(self, as_staff: Client, case: Case) -> None:
        page = do(as_staff, case, "check", temperature="45", note="说明").content.decode()
        assert "between 33 and 43" in page
        assert 'value="说明"' in page
        assert 'href="#id_check-temperature"' in page

    def test_refuses_a_case_that_somebody_else_changed(self, as_staff: Client, case: Case) -> None:
        stale = case.version
        do(as_staff, case, "home", met="no", reason="无独立卫生间", version=stale)
        page = do(as_staff, case, "home", met="yes", reason="已腾出", version=stale)
        assert "Somebody else changed this case" in page.content.decode()

    def test_lets_only_a_supervisor_decide_on_an_outing(
        self, as_staff: Client, case: Case, supervisor: User
    ) -> None:
        outing = {"purpose": "medical", "vehicle": "escorted", "mask": "n95", "reason": "透析"}
        do(as_staff, case, "outing", day="2022-11-23", **outing)
        asked = Event.objects.get(kind="outing_asked")
        answer = {"asked": asked.pk, "answer": "approve"}
        assert do(as_staff, case, "answer", **answer).status_code == 403
        as_staff.force_login(supervisor)
        do(as_staff, case, "answer", **answer)
        assert Event.objects.get(kind="outing_approved").by == supervisor

    def test_is_hidden_from_another_grid(self, client: Client, case: Case, today: None) -> None:
        client.force_login(factories.make_user("grid_staff", factories.make_grid()))
        assert do(client, case, "sample").status_code == 404

    def test_knows_no_other_act(self, as_staff: Client, case: Case) -> None:
        assert do(as_staff, case, "delete").status_code == 404


class TestUndo:
    def test_takes_a_sample_back(self, as_staff: Client, case: Case) -> None:
        do(as_staff, case, "sample")
        as_staff.post(reverse("undo_sample", args=[Sample.objects.get().key]))
        assert not Sample.objects.valid().exists()

    def test_takes_a_result_back(self, as_staff: Client, case: Case) -> None:
        do(as_staff, case, "sample")
        do(as_staff, case, "result", sample=Sample.objects.get().key, outcome="positive")
        as_staff.post(reverse("undo_result", args=[NATResult.objects.get().pk]))
        case.refresh_from_db()
        assert case.closed_on is None

    def test_goes_back_to_nowhere_else(self, as_staff: Client, case: Case) -> None:
        do(as_staff, case, "sample")
        address = reverse("undo_sample", args=[Sample.objects.get().key])
        answer: Any = as_staff.post(address, {"next": "https://example.org/"})
        assert answer.url == reverse("today")


class TestCaseUncover:
    def test_shows_the_phone_to_call_and_writes_it_down(
        self, as_staff: Client, case: Case
    ) -> None:
        address = reverse("case_uncover", args=[case.key])
        page = as_staff.post(address, {"field": "phone", "reason": "电话联系"}).content.decode()
        assert f'href="tel:{case.resident.phone}"' in page

    def test_asks_for_a_reason(self, as_staff: Client, case: Case) -> None:
        address = reverse("case_uncover", args=[case.key])
        page = as_staff.post(address, {"field": "number", "reason": ""}).content.decode()
        assert case.resident.number not in page


class TestRelease:
    def test_confirms_those_who_were_chosen(
        self, as_staff: Client, ready: Case, case: Case
    ) -> None:
        page = as_staff.get(reverse("release_list")).content.decode()
        assert str(ready.key) in page
        chosen = {"case": [str(ready.key), str(case.key), "x"]}
        as_staff.post(reverse("release_confirm"), chosen)
        ready.refresh_from_db()
        case.refresh_from_db()
        assert ready.closed_as == "released"
        assert case.closed_on is None

    def test_is_listed_page_by_page(
        self,
        as_staff: Client,
        ready: Case,
        arrive: Arrive,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        later = arrive(days=7)
        one_a_page = partial(page_after, size=1)
        monkeypatch.setattr("quarantine.views.releases.page_after", one_a_page)

        first = as_staff.get(reverse("release_list"))
        second = as_staff.get(reverse("release_list"), {"after": first.context["page"].next})

        assert later.case
        assert [case.pk for case in first.context["page"].rows] == [ready.pk]
        assert [case.pk for case in second.context["page"].rows] == [later.case.pk]

    def test_is_one_tap_from_today(self, as_staff: Client, ready: Case) -> None:
        page = do(as_staff, ready, "release", htmx=True).content.decode()
        ready.refresh_from_db()
        assert ready.closed_as == "released"
        assert "undo/event/" in page

    def test_is_offered_only_when_it_makes_sense(self, ready: Case, case: Case) -> None:
        by = factories.make_user()
        assert "release" in load_case_page(ready, by=by, at=NOW).acts
        assert "release" not in load_case_page(case, by=by, at=NOW).acts


class TestToday:
    def test_counts_what_is_due_and_filters_by_it(
        self, as_staff: Client, case: Case, grid: Area
    ) -> None:
        page = as_staff.get(reverse("today"))
        counts = {kind.value: count for kind, count in page.context["worklist"].counts.of.items()}
        assert counts == {"overdue": 1, "test": 1, "result": 0, "release": 0, "check": 1}
        assert not as_staff.get(reverse("today"), {"kind": "result"}).context["buildings"]

    def test_leads_from_page_to_page_in_the_order_of_doors(
        self,
        as_staff: Client,
        ready: Case,
        arrive: Arrive,
        monkeypatch: pytest.MonkeyPatch,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        cases = [ready, *(logged.case for days in (2, 1, 0, 9) if (logged := arrive(days=days)))]
        assert cases[4]
        arrive(days=0, resident=cases[4].resident, exposure="close_contact")  # another ground
        for name, case in zip(("10号楼", "3号楼", "3号楼", "2号楼", "甲楼"), cases, strict=True):
            assert case
            building, _made = Building.objects.get_or_create(grid=case.grid, name=name)
            Household.objects.filter(residents=case.resident_id).update(building=building)
        do(as_staff, cases[2] or ready, "sample")
        monkeypatch.setattr("quarantine.lists.worklist.page_after", partial(page_after, size=1))
        # Documents are asked for anew once a second, on whatever page that is.
        monkeypatch.setattr("policy.services.FRESH_FOR_SECONDS", math.inf)

        def walk(kind: str) -> list[Card]:
            met: list[Card] = []
            page = as_staff.get(reverse("today"), {"kind": kind}).context["worklist"]
            while page.next:
                met += page.cards
                with django_assert_max_num_queries(12):
                    answer = as_staff.get(reverse("today"), {"kind": kind, "after": page.next})
                page = answer.context["worklist"]
            return [*met, *page.cards]

        cards = walk("")
        names = [card.case.resident.household.building.name for card in cards]
        assert names == ["甲楼", "2号楼", "3号楼", "3号楼", "10号楼"]
        counts = as_staff.get(reverse("today")).context["worklist"].counts
        assert counts.together == len(cards)
        assert min(counts.of.values()) > 0
        for kind, count in counts.of.items():
            assert count == len(walk(kind)) == sum(card.has(kind) for card in cards)

    def test_goes_on_behind_a_card_that_was_dealt_with_meanwhile(
        self, as_staff: Client, arrive: Arrive, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        first, second = (arrive(days=0).case for _ in range(2))
        assert first
        assert second
        do(as_staff, first, "check", symptoms=[])
        page = as_staff.get(reverse("today"), {"after": first.pk}).context["worklist"]
        assert [card.case for card in page.cards] == [second]

    def test_says_what_comes_tomorrow_when_all_is_done(
        self, as_staff: Client, arrive: Arrive
    ) -> None:
        page = as_staff.get(reverse("today"), headers={"accept-language": "en"})
        assert "Tests tomorrow: 0" in page.content.decode()
