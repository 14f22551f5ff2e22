"""Results that are awaited, entered whenever they come; pools that are to be checked."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils.translation import override

from accounts.staff.models import User
from quarantine.acts.results import take_sample
from quarantine.arrivals.services import Logged
from quarantine.models import Case
from quarantine.relocation.moves import die
from testing.models import NATResult, Sample
from tests.factories import NOW, make_user

Arrive = Callable[..., Logged]
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def case(arrive: Arrive) -> Case:
    """Return a case on its third day."""
    logged = arrive(days=2)
    assert logged.case
    return Case.objects.get(pk=logged.case.pk)


@pytest.fixture
def sample(case: Case, staff: User) -> Sample:
    """Return a sample of today."""
    return take_sample(case=case, taken_at=NOW, at=NOW, by=staff)


@pytest.fixture
def pool(case: Case, staff: User) -> Sample:
    """Return a pooled sample of today."""
    return take_sample(case=case, taken_at=NOW, at=NOW, by=staff, pooled=True, tube="A1")


def said(client: Client, name: str, *args: Any) -> str:
    return client.get(reverse(name, args=args), headers=ENGLISH).content.decode()


def enter(client: Client, sample: Sample, **typed: Any) -> Any:
    return client.post(reverse("sample_result", args=[sample.key]), typed, headers=ENGLISH)


class TestWhatIsAwaited:
    def test_is_listed_and_stands_on_the_page_of_the_person(
        self, as_staff: Client, sample: Sample
    ) -> None:
        address = reverse("sample_result", args=[sample.key])

        assert address in said(as_staff, "awaited_list")
        assert address in said(as_staff, "resident_detail", sample.resident.key)

        enter(as_staff, sample, outcome="negative")
        assert address not in said(as_staff, "awaited_list")

    def test_is_entered_after_the_case_was_closed(
        self, as_staff: Client, case: Case, sample: Sample
    ) -> None:
        Case.objects.update(closed_on=NOW.date(), closed_as="released")
        page = as_staff.get(reverse("case_detail", args=[case.key]))
        assert "result" in [act for act, _form in page.context["acts"]]

        answer = enter(as_staff, sample, outcome="negative")

        assert answer.url == reverse("case_detail", args=[case.key])
        assert NATResult.objects.get().outcome == "negative"

    def test_of_somebody_who_died_is_kept_and_the_page_says_that_no_measure_follows(
        self, as_staff: Client, case: Case, sample: Sample, supervisor: User
    ) -> None:
        gone = case.resident
        gone.refresh_from_db()
        die(resident=gone, version=gone.version, day=NOW.date(), at=NOW, by=supervisor)
        assert "opens no measure" in said(as_staff, "sample_result", sample.key)
        assert "opens no measure" in said(as_staff, "case_detail", case.key)

        enter(as_staff, sample, outcome="positive")

        assert NATResult.objects.get().outcome == "positive"
        assert not Case.objects.open().exists()
        assert "no longer here" in said(as_staff, "case_detail", case.key)

    def test_that_gave_no_result_says_that_the_day_counts_as_missed(
        self, as_staff: Client, case: Case, sample: Sample
    ) -> None:
        enter(as_staff, sample, outcome="lost")

        assert "counts as missed" in said(as_staff, "case_detail", case.key)


class TestASecondResult:
    def test_is_refused_with_who_entered_what_and_when(
        self, as_staff: Client, case: Case, sample: Sample
    ) -> None:
        enter(as_staff, sample, outcome="negative")

        typed = {"result-sample": str(sample.key), "result-outcome": "positive"}
        address = reverse("case_act", args=[case.key, "result"])
        page = as_staff.post(address, typed, headers=ENGLISH).content.decode()

        assert "entered “Negative” for this sample on November 22 10:00" in page
        assert "entered “Negative”" in enter(as_staff, sample, outcome="positive").content.decode()
        assert NATResult.objects.get().outcome == "negative"

    def test_for_the_sample_of_somebody_else_is_not_there(
        self, as_staff: Client, case: Case, arrive: Arrive, staff: User
    ) -> None:
        other = arrive(days=0).case
        assert other
        theirs = take_sample(case=other, taken_at=NOW, at=NOW, by=staff)

        typed = {"result-sample": str(theirs.key), "result-outcome": "positive"}
        address = reverse("case_act", args=[case.key, "result"])

        assert as_staff.post(address, typed).status_code == 404


class TestAWordAndACtThatContradictEachOther:
    def test_are_saved_when_they_are_sent_once_more_as_they_are(
        self, as_staff: Client, sample: Sample
    ) -> None:
        asked = enter(as_staff, sample, outcome="negative", ct="20")
        assert "contradict each other" in asked.content.decode()
        assert "Confirm and save" in asked.content.decode()
        assert not NATResult.objects.exists()
        confirmed = asked.context["form"]["confirmed"].value()

        again = enter(as_staff, sample, outcome="negative", ct="21", confirmed=confirmed)
        assert "contradict each other" in again.content.decode()
        enter(as_staff, sample, outcome="negative", ct="20", confirmed=confirmed)

        assert NATResult.objects.get().ct == 20

    def test_are_asked_about_on_the_page_of_the_case(
        self, as_staff: Client, case: Case, sample: Sample
    ) -> None:
        address = reverse("case_act", args=[case.key, "result"])
        typed = {"result-sample": sample.key, "result-outcome": "positive", "result-ct": "38"}
        asked = as_staff.post(address, typed)
        confirmed = asked.context["failed_form"]["confirmed"].value()
        assert not NATResult.objects.exists()

        as_staff.post(address, {**typed, "result-confirmed": confirmed})

        assert NATResult.objects.get().outcome == "positive"


class TestAnOverdueTest:
    def test_is_taken_now_from_today_and_from_the_case(
        self, as_staff: Client, arrive: Arrive
    ) -> None:
        case = arrive(days=1).case
        assert case
        assert "Take it now" in said(as_staff, "today")
        assert "Take it now" in said(as_staff, "case_detail", case.key)

        as_staff.post(reverse("case_act", args=[case.key, "sample"]), {})

        case.refresh_from_db()
        assert case.next_test_on == NOW.date() + timedelta(days=1)
        assert "Take it now" not in said(as_staff, "case_detail", case.key)

    def test_is_not_taken_with_the_test_of_today(self, as_staff: Client, case: Case) -> None:
        assert "Take it now" not in said(as_staff, "case_detail", case.key)


class TestAPositivePool:
    def test_is_to_be_checked_by_a_tube_of_one_s_own(
        self, as_staff: Client, case: Case, pool: Sample
    ) -> None:
        enter(as_staff, pool, outcome="positive")
        assert "Pool positive: single tube today" in said(as_staff, "today")
        assert "was positive: a tube of this person alone" in said(
            as_staff, "case_detail", case.key
        )
        address = reverse("sample_check", args=[pool.key])
        assert address in said(as_staff, "awaited_list")

        as_staff.post(address)

        single = Sample.objects.get(pooled=False)
        assert address not in said(as_staff, "awaited_list")
        enter(as_staff, single, outcome="negative")
        case.refresh_from_db()
        assert case.closed_on is None
        with override("en"):
            assert "to be checked" not in said(as_staff, "awaited_list")

    def test_asks_for_the_code_of_the_tube(self, as_staff: Client, case: Case) -> None:
        address = reverse("case_act", args=[case.key, "sample"])
        page = as_staff.post(address, {"sample-pooled": "on"}, headers=ENGLISH).content.decode()

        assert "Give the code of the tube" in page
        assert not Sample.objects.exists()

    def test_is_checked_once(self, as_staff: Client, pool: Sample) -> None:
        enter(as_staff, pool, outcome="positive")
        for _ in range(2):
            as_staff.post(reverse("sample_check", args=[pool.key]))

        assert Sample.objects.filter(pooled=False).count() == 1

    def test_is_hidden_from_another_grid(self, client: Client, pool: Sample, today: None) -> None:
        client.force_login(make_user("grid_staff"))

        assert client.post(reverse("sample_check", args=[pool.key])).status_code == 404
