"""What the form of an arrival refuses, at which field, and what it tells the law."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import translation

from accounts.staff.models import Area, User
from policy.engine.decisions.facts import read_person
from quarantine.arrivals.forms import ArrivalForm
from tests import factories
from tests.factories import NOW

TODAY = NOW.date()


@pytest.fixture
def typed(grid: Area) -> dict[str, Any]:
    """Return what a grid worker types for somebody from Lanzhou."""
    return {
        "key": str(uuid4()),
        "document_type": "mainland_id",
        "number": factories.id_number(),
        "name": "王秀英",
        "phone": "13800138000",
        "grid": grid.code,
        "building": "3号楼",
        "unit": "2单元",
        "door": "502",
        "arrived": "0",
        "coming": "home",
        "origin": "lanzhou",
        "home_fit": "yes",
        "stay-TOTAL_FORMS": "2",
        "stay-INITIAL_FORMS": "0",
    }


def form_of(typed: dict[str, Any], staff: User) -> ArrivalForm:
    return ArrivalForm(typed, now=NOW, by=staff)


class TestArrivalForm:
    def test_accepts_what_is_in_order(self, typed: dict[str, Any], staff: User) -> None:
        form = form_of(typed, staff)
        assert form.is_valid(), form.errors
        assert form.cleaned_data["phone"] == "+8613800138000"
        assert form.cleaned_data["arrived_on"] == TODAY

    @pytest.mark.parametrize(
        ("field", "value", "sentence"),
        [
            ("number", "11010519491231002A", "17 digits"),
            ("number", "110105194912310021", "check digit"),
            ("number", "", "number that stands on the document"),
            ("name", "王", "2 to 120"),
            ("phone", "1380013", "11 digits"),
            ("origin", "亚特兰蒂斯", "No area is called so"),
            ("origin", "朝阳", "Several areas"),
            ("origin", "", "city or county"),
            ("building", "", "building"),
            ("door", "", "door"),
            ("document_type", "", "document"),
            ("left_on", (TODAY + timedelta(days=1)).isoformat(), "future"),
            ("post_ended", (TODAY + timedelta(days=1)).isoformat(), "future"),
            ("sampled_at", "2022-11-22T10:01", "future"),
            ("reported_at", "2022-11-22T10:01", "future"),
            ("birth_date", (TODAY + timedelta(days=1)).isoformat(), "future"),
            ("emergency_phone", "1380013", "11 digits"),
            ("emergency_name", "王", "2 to 120"),
        ],
    )
    def test_refuses_at_the_field(
        self, field: str, value: str, sentence: str, typed: dict[str, Any], staff: User
    ) -> None:
        form = form_of({**typed, field: value}, staff)
        with translation.override("en"):
            assert not form.is_valid()
            assert sentence in form.errors[field][0]

    @pytest.mark.parametrize(
        ("day", "sentence"),
        [
            ("2022-11-23", "future"),
            ("2022-10-22", "30 days back"),
            ("", "day of arrival"),
        ],
    )
    def test_refuses_a_day_that_cannot_be(
        self, day: str, sentence: str, typed: dict[str, Any], staff: User
    ) -> None:
        form = form_of({**typed, "arrived": "other", "arrived_on": day}, staff)
        with translation.override("en"):
            assert not form.is_valid()
            assert sentence in form.errors["arrived_on"][0]

    def test_refuses_a_grid_of_somebody_else(self, typed: dict[str, Any], staff: User) -> None:
        other = factories.make_grid()
        assert "grid" in form_of({**typed, "grid": other.code}, staff).errors

    def test_asks_for_the_last_day_of_a_stay(self, typed: dict[str, Any], staff: User) -> None:
        form = form_of({**typed, "stay-0-place": "郑州"}, staff)
        assert not form.is_valid()
        assert "last_day" in form.stays.forms[0].errors

    def test_refuses_a_stay_that_ends_after_the_arrival(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        later = {"left_on": TODAY.isoformat(), "arrived": "1"}
        form = form_of({**typed, **later}, staff)
        with translation.override("en"):
            assert not form.is_valid()
            assert "after the arrival" in form.errors["left_on"][0]
        assert form_of({**typed, **later, "arrived": "0"}, staff).is_valid()

    def test_refuses_another_stay_that_ends_after_the_arrival(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        later = (TODAY + timedelta(days=3)).isoformat()
        form = form_of({**typed, "stay-0-place": "郑州", "stay-0-last_day": later}, staff)
        with translation.override("en"):
            assert not form.is_valid()
            assert "after the arrival" in form.stays.forms[0].errors["last_day"][0]
        assert form.stays.forms[0]["last_day"].value() == later

    def test_asks_for_one_time_of_a_proof(self, typed: dict[str, Any], staff: User) -> None:
        form = form_of({**typed, "proof": "yes"}, staff)
        assert not form.is_valid()
        assert "sampled_at" in form.errors

    def test_takes_a_proof_that_shows_only_when_it_was_reported(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        form = form_of({**typed, "proof": "yes", "reported_at": "2022-11-21T08:00"}, staff)
        assert form.is_valid(), form.errors
        proof = read_person(form.facts()).proof
        assert proof
        assert proof.counts_from == proof.reported_at == NOW - timedelta(hours=26)

    def test_refuses_a_report_before_its_sample(self, typed: dict[str, Any], staff: User) -> None:
        times = {"sampled_at": "2022-11-21T08:00", "reported_at": "2022-11-21T07:00"}
        assert "reported_at" in form_of({**typed, "proof": "yes", **times}, staff).errors

    def test_does_not_ask_a_contact_where_from(self, typed: dict[str, Any], staff: User) -> None:
        form = form_of({**typed, "origin": "", "exposure": "close_contact"}, staff)
        assert form.is_valid()


class TestPerson:
    def test_names_the_facts_as_the_law_knows_them(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        form = form_of(
            {
                **typed,
                "arrived": "1",
                "risk": "high",
                "spread": "on",
                "proof": "yes",
                "sampled_at": "2022-11-21T08:00",
                "stay-0-place": "郑州",
                "stay-0-last_day": "2022-11-18",
                "stay-0-transit": "on",
            },
            staff,
        )
        assert form.is_valid(), form.errors
        person = read_person(form.facts())
        assert person.start == TODAY - timedelta(days=1)
        assert person.arrived_from == "620100"
        assert person.spread_at_origin
        assert person.proof
        assert [(s.area, s.risk, s.last_day, s.transit) for s in person.stays] == [
            ("620100", "high", TODAY - timedelta(days=1), False),
            ("410100", None, TODAY - timedelta(days=4), True),
        ]

    def test_knows_days_served_after_entry(self, typed: dict[str, Any], staff: User) -> None:
        abroad = {"coming": "abroad", "central_days": "5", "home_days": "3", "entered_via": "上海"}
        form = form_of({**typed, **abroad}, staff)
        assert form.is_valid(), form.errors
        inbound = read_person(form.facts()).inbound
        assert inbound
        assert (inbound.central_days, inbound.home_days) == (5, 3)
        assert inbound.entered_via == "310000"
        assert read_person(form.facts()).arrived_from == "310000"

    def test_leaves_out_what_is_not_filled_in_yet(self, grid: Area, staff: User) -> None:
        form = form_of({"coming": "home", "origin": "兰州", "arrived": "0"}, staff)
        assert not form.is_valid()
        assert read_person(form.facts()).arrived_from == "620100"
