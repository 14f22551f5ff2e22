"""The pages on which facts are put right."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area, User
from quarantine.acts import results
from quarantine.arrivals.services import Logged
from quarantine.models import Arrival, Case
from testing.models import NATResult, Sample
from tests import factories
from tests.factories import NOW
from tests.quarantine.views.test_arrivals import sent_by

Arrive = Callable[..., Logged]
WHY = "车票为证，前天到达"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def case(arrive: Arrive) -> Case:
    """Return a case that was logged yesterday."""
    logged = arrive(days=1)
    assert logged.case
    return Case.objects.get(pk=logged.case.pk)


@pytest.fixture
def as_supervisor(client: Client, supervisor: User, today: None) -> Client:
    client.force_login(supervisor)
    return client


def page_of(client: Client, *fact: object) -> Any:
    return client.get(reverse("fact_correct", args=fact), headers=ENGLISH)


def put_right(client: Client, kind: str, ref: object, way: str, **fields: Any) -> Any:
    data = {f"{way}-{name}": value for name, value in fields.items() if name != "find"}
    find = {"find": "1"} if "find" in fields else {}
    address = reverse("fact_correct", args=[kind, ref])
    return client.post(address, {"way": way, **find, **data}, headers=ENGLISH)


class TestTheHistoryOfACase:
    def test_leads_from_each_fact_to_the_page_that_puts_it_right(
        self, as_supervisor: Client, case: Case, staff: User
    ) -> None:
        at = NOW - timedelta(days=1)
        sample = results.take_sample(case=case, taken_at=at, at=at, by=staff)

        page = as_supervisor.get(reverse("case_detail", args=[case.key])).content.decode()

        assert case.arrival
        for fact in (("arrival", case.arrival.key), ("sample", sample.key)):
            assert reverse("fact_correct", args=fact) in page


class TestTheFormOfAnArrival:
    def test_complains_of_nothing_before_it_was_sent(
        self, as_supervisor: Client, case: Case
    ) -> None:
        assert case.arrival
        address = reverse("arrival_correct", args=[case.arrival.key])

        assert "error-summary" not in as_supervisor.get(address).content.decode()
        assert "error-summary" in as_supervisor.post(address, {}).content.decode()


class TestAFact:
    def test_tells_grid_staff_who_puts_it_right(
        self, as_staff: Client, supervisor: User, case: Case
    ) -> None:
        assert case.arrival
        Area.objects.filter(pk=Area.objects.get_parent(case.grid).pk).update(phone="0478-8220000")
        page = page_of(as_staff, "arrival", case.arrival.key).content.decode()
        assert f"After 10 minutes a supervisor puts this right: ask {supervisor.name}." in page
        assert 'href="tel:0478-8220000"' in page
        assert "way-withdraw" not in page
        refused = put_right(
            as_staff, "arrival", case.arrival.key, "withdraw", reason=WHY
        ).content.decode()
        assert supervisor.name in refused
        assert Arrival.objects.valid().exists()

    def test_is_withdrawn_by_a_supervisor_with_a_reason(
        self, as_supervisor: Client, case: Case
    ) -> None:
        assert case.arrival
        without = put_right(as_supervisor, "arrival", case.arrival.key, "withdraw", reason="")
        assert without.status_code == 200
        assert Arrival.objects.valid().exists()

        answer = put_right(as_supervisor, "arrival", case.arrival.key, "withdraw", reason=WHY)

        assert answer.url == reverse("resident_detail", args=[case.resident.key])
        assert not Arrival.objects.valid().exists()
        page = as_supervisor.get(answer.url, headers=ENGLISH).content.decode()
        assert f"Arrival withdrawn ({WHY}). No measure holds this person now." in page
        assert reverse("case_detail", args=[case.key]) in page

    def test_that_is_withdrawn_leads_to_what_holds_the_person_now(
        self, as_supervisor: Client, case: Case
    ) -> None:
        day = NOW.date() - timedelta(days=1)
        positive = factories.make_result(case, day, outcome="positive")
        assert case.closed_as == Case.ClosedAs.REFERRED

        answer = put_right(as_supervisor, "result", positive.result.pk, "withdraw", reason=WHY)

        case.refresh_from_db()
        assert case.closed_on is None
        assert answer.url == reverse("case_detail", args=[case.key])
        page = as_supervisor.get(answer.url, headers=ENGLISH).content.decode()
        assert f"Result withdrawn ({WHY}). Now: Home isolation, 7 days, release on" in page

    def test_offers_the_likely_way_first_and_the_others_quietly(
        self, as_supervisor: Client, case: Case, staff: User
    ) -> None:
        at = NOW - timedelta(days=1)
        sample = results.take_sample(case=case, taken_at=at, at=at, by=staff)
        assert case.arrival
        for kind, ref in (("arrival", case.arrival.key), ("sample", sample.key)):
            page = page_of(as_supervisor, kind, ref).content.decode()
            assert page.count("btn-primary") == 1
            assert page.index("btn-primary") < page.index("Otherwise")
        single = page_of(as_supervisor, "case", case.key).content.decode()
        assert "Nobody should have been under this measure" in single

    @pytest.mark.parametrize(
        "fact", [("sample", "x"), ("event", "x"), ("event", "9" * 30), ("nothing", "1")]
    )
    def test_that_is_none_is_not_found(self, as_supervisor: Client, fact: tuple[str, str]) -> None:
        assert page_of(as_supervisor, *fact).status_code == 404

    def test_belongs_to_a_namesake_who_is_offered(
        self, as_supervisor: Client, case: Case, grid: Area, staff: User
    ) -> None:
        at = NOW - timedelta(days=1)
        sample = results.take_sample(case=case, taken_at=at, at=at, by=staff)
        other = factories.make_resident(grid=grid, by=staff, name=case.resident.name)
        page = page_of(as_supervisor, "sample", sample.key).content.decode()
        assert str(other.key) in page

        put_right(as_supervisor, "sample", sample.key, "give", to=other.key, reason=WHY)

        assert Sample.objects.valid().get().resident == other

    def test_belongs_to_whom_a_search_finds(
        self, as_supervisor: Client, case: Case, grid: Area, staff: User
    ) -> None:
        assert case.arrival
        other = factories.make_resident(grid=grid, by=staff, name="欧阳示例")

        found = put_right(
            as_supervisor, "arrival", case.arrival.key, "give", who="欧阳示例", find=True
        ).content.decode()
        assert str(other.key) in found
        put_right(
            as_supervisor,
            "arrival",
            case.arrival.key,
            "give",
            who="欧阳示例",
            to=other.key,
            reason=WHY,
        )

        assert Arrival.objects.valid().get().resident == other
        assert Case.objects.open().get().resident == other

    def test_ends_a_case_that_the_authority_excluded(
        self, as_supervisor: Client, case: Case
    ) -> None:
        put_right(as_supervisor, "case", case.key, "exclude", excluded_by="cdc", reason=WHY)

        case.refresh_from_db()
        assert case.closed_as == Case.ClosedAs.EXCLUDED
        page = as_supervisor.get(
            reverse("case_detail", args=[case.key]), headers=ENGLISH
        ).content.decode()
        assert "Disease-control centre" in page


class TestAnArrival:
    def test_shows_what_was_entered_and_takes_what_is_right(
        self, as_supervisor: Client, case: Case
    ) -> None:
        arrival = case.arrival
        assert arrival
        assert case.release_on
        address = reverse("arrival_correct", args=[arrival.key])
        form = as_supervisor.get(address).context["form"]
        right = NOW.date() - timedelta(days=3)
        typed = {**sent_by(form), "arrived": "other", "arrived_on": right.isoformat()}

        answer: Any = as_supervisor.post(address, {**typed, "reason": WHY})

        assert answer.url == reverse("case_detail", args=[case.key])
        before = case.release_on
        case.refresh_from_db()
        assert (case.day_1, case.release_on) == (right, before - timedelta(days=2))
        page = as_supervisor.get(answer.url, headers=ENGLISH).content.decode()
        assert "Arrived November 21 → November 19" in page
        assert WHY in page

    def test_is_refused_as_it_stands(self, as_supervisor: Client, case: Case) -> None:
        assert case.arrival
        address = reverse("arrival_correct", args=[case.arrival.key])
        form = as_supervisor.get(address).context["form"]

        page: Any = as_supervisor.post(address, {**sent_by(form), "reason": WHY}, headers=ENGLISH)

        assert "This is what stands there already." in page.content.decode()

    def test_tells_who_may_not_who_may(
        self, as_staff: Client, supervisor: User, case: Case
    ) -> None:
        assert case.arrival
        answer = as_staff.get(reverse("arrival_correct", args=[case.arrival.key]))
        assert supervisor.name in answer.content.decode()

    def test_that_was_corrected_leads_to_the_right_one(
        self, as_supervisor: Client, case: Case
    ) -> None:
        arrival = case.arrival
        assert arrival
        address = reverse("arrival_correct", args=[arrival.key])
        form = as_supervisor.get(address).context["form"]
        day = (NOW - timedelta(days=2)).date().isoformat()
        as_supervisor.post(
            address, {**sent_by(form), "arrived": "other", "arrived_on": day, "reason": WHY}
        )
        answer: Any = as_supervisor.get(reverse("arrival_saved", args=[arrival.key]))
        assert answer.url == reverse("arrival_saved", args=[Arrival.objects.valid().get().key])


class TestASecondResult:
    def test_is_answered_with_who_entered_which_and_when(
        self, as_staff: Client, case: Case, staff: User
    ) -> None:
        sample = results.take_sample(case=case, taken_at=NOW, at=NOW, by=staff)
        data = {"result-sample": sample.key, "result-outcome": "negative"}
        address = reverse("case_act", args=[case.key, "result"])
        as_staff.post(address, data)

        second: Any = as_staff.post(
            address, {**data, "result-outcome": "positive"}, headers=ENGLISH
        )

        page = second.content.decode()
        assert f"{staff.name} entered “Negative” for this sample on November 22 10:00" in page
        assert "not one of the available choices" not in page
        assert NATResult.objects.get().outcome == "negative"
