"""What the form of an arrival refuses, at which field, and what it tells the law."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.utils import translation

from accounts.staff.models import Area, User
from policy.engine.decisions.facts import read_person
from quarantine.arrivals import codec
from quarantine.arrivals.forms import ArrivalForm
from tests import factories
from tests.factories import NOW

TODAY = NOW.date()
TOMORROW = TODAY + timedelta(days=1)
YESTERDAY = TODAY - timedelta(days=1)


SERVED = {
    "served-TOTAL_FORMS": "1",
    "served-INITIAL_FORMS": "0",
    "served-0-setting": "central",
    "served-0-first_day": (TODAY - timedelta(days=3)).isoformat(),
    "served-0-last_day": YESTERDAY.isoformat(),
}


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
        "arrived": TODAY.isoformat(),
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

    def test_offers_the_last_days_by_their_dates(self, staff: User) -> None:
        with translation.override("zh-hans"):
            arrived = ArrivalForm(now=NOW, by=staff).fields["arrived"]
            named = [str(name) for _value, name in arrived.choices]  # type: ignore[attr-defined]

        assert named == ["今天 22日", "昨天 21日", "前天 20日", "其他日期"]

    def test_takes_the_date_of_a_chip(self, typed: dict[str, Any], staff: User) -> None:
        form = form_of({**typed, "arrived": YESTERDAY.isoformat()}, staff)
        assert form.is_valid(), form.errors
        assert form.cleaned_data["arrived_on"] == YESTERDAY

    @pytest.mark.parametrize(
        ("sent_at", "asks"),
        [(factories.moment(TODAY, 23, 59), False), (factories.moment(TOMORROW, 0), True)],
    )
    def test_asks_for_the_day_again_from_midnight_on(
        self, sent_at: datetime, asks: bool, typed: dict[str, Any], staff: User
    ) -> None:
        data = {**typed, "shown_on": TODAY.isoformat()}
        form = ArrivalForm(data, now=sent_at, by=staff)
        assert form.is_valid() is not asks
        assert ("arrived" in form.errors) is asks
        if asks:
            again = ArrivalForm(form.data, now=sent_at, by=staff)
            assert again.is_valid(), again.errors
            assert again.cleaned_data["arrived_on"] == TODAY

    def test_keeps_a_date_that_is_no_chip_any_more(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        oldest = TODAY - timedelta(days=2)
        data = {**typed, "shown_on": TODAY.isoformat(), "arrived": oldest.isoformat()}
        form = ArrivalForm(data, now=factories.moment(TOMORROW, 0), by=staff)
        assert (form["arrived"].value(), form["arrived_on"].value()) == (
            "other",
            oldest.isoformat(),
        )

    @pytest.mark.parametrize(
        "field", ["arrived_on", "left_on", "post_ended", "sampled_at", "reported_at"]
    )
    def test_offers_no_day_to_come(self, field: str, staff: User) -> None:
        page = str(ArrivalForm(now=NOW, by=staff)[field])
        assert f'max="{TODAY.isoformat()}' in page

    def test_says_which_day_is_wrong_while_it_is_filled(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        later = {"arrived": "other", "arrived_on": TOMORROW.isoformat()}
        form = form_of({**typed, "name": "", **later}, staff)
        with translation.override("en"):
            assert not form.is_valid()
            assert "future" in form.wrong_day
        half_filled = form_of({**typed, "name": ""}, staff)
        assert not half_filled.is_valid()
        assert half_filled.wrong_day == ""

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
        later = {"left_on": TODAY.isoformat(), "arrived": YESTERDAY.isoformat()}
        form = form_of({**typed, **later}, staff)
        with translation.override("en"):
            assert not form.is_valid()
            assert "after the arrival" in form.errors["left_on"][0]
        assert form_of({**typed, **later, "arrived": TODAY.isoformat()}, staff).is_valid()

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
                "arrived": YESTERDAY.isoformat(),
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

    def test_counts_somebody_from_hong_kong_as_coming_in(
        self, typed: dict[str, Any], staff: User
    ) -> None:
        served = {"central_days": "2", "home_days": "1", "entered_via": "广东"}
        form = form_of({**typed, "coming": "hmt", "origin": "香港", **served}, staff)
        assert form.is_valid(), form.errors
        person = read_person(form.facts())
        assert person.arrived_from == "810000"
        assert person.inbound
        assert (person.inbound.central_days, person.inbound.home_days) == (2, 1)
        assert not codec.read_from_abroad(form.cleaned_data)

    def test_knows_days_served_elsewhere(self, typed: dict[str, Any], staff: User) -> None:
        form = form_of({**typed, **SERVED}, staff)
        assert form.is_valid(), (form.errors, form.served.errors)
        (served,) = read_person(form.facts()).served
        assert (served.setting, served.first_day, served.last_day) == (
            "central",
            TODAY - timedelta(days=3),
            YESTERDAY,
        )

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("setting", ""),
            ("first_day", ""),
            ("last_day", ""),
            ("last_day", (TODAY - timedelta(days=4)).isoformat()),
            ("last_day", TOMORROW.isoformat()),
            ("first_day", (TODAY - timedelta(days=31)).isoformat()),
        ],
    )
    def test_refuses_days_served_that_cannot_be(
        self, field: str, value: str, typed: dict[str, Any], staff: User
    ) -> None:
        form = form_of({**typed, **SERVED, f"served-0-{field}": value}, staff)
        assert not form.is_valid()
        assert list(form.served.forms[0].errors) == [field]

    def test_leaves_out_what_is_not_filled_in_yet(self, grid: Area, staff: User) -> None:
        form = form_of({"coming": "home", "origin": "兰州", "arrived": TODAY.isoformat()}, staff)
        assert not form.is_valid()
        assert read_person(form.facts()).arrived_from == "620100"
