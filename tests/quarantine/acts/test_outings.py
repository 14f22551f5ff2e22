"""Leaving home under a measure."""

from datetime import date, timedelta
from typing import Any

import pytest

from accounts.staff.models import User
from policy.engine.decisions.facts import Stay
from quarantine.acts.outings import (
    AnsweredError,
    Mask,
    OutingError,
    OutingPurpose,
    OwnRequestError,
    Vehicle,
    approve_outing,
    ask_outing,
    refuse_outing,
)
from quarantine.models import Case, Event
from tests.factories import make_case, make_place, make_user, moment

pytestmark = pytest.mark.django_db

DAY = date(2022, 11, 20)
HIGH_RISK = (Stay("310101", "high", DAY),)


def ask(case: Case, by: User | None = None, **given: Any) -> Event:
    wish = {
        "day": DAY,
        "purpose": OutingPurpose.MEDICAL,
        "vehicle": Vehicle.ESCORTED,
        "mask": Mask.N95,
        "reason": "透析",
        **given,
    }
    return ask_outing(case=case, at=moment(DAY), by=by or make_user(), **wish)


def case_under(document: str, county: str, **facts: Any) -> Case:
    return make_case(make_place(document, county), **facts)


class TestAskOuting:
    def test_is_recorded_with_its_clause(self) -> None:
        asked = ask(case_under("yingkou-2022-11", "210800", stays=HIGH_RISK))

        assert (asked.kind, asked.clause) == ("outing_asked", "yingkou-2022-11 2")
        assert asked.detail == {"purpose": "medical", "vehicle": "escorted", "mask": "n95"}

    @pytest.mark.parametrize(
        ("given", "field"),
        [
            ({"mask": Mask.SURGICAL}, "mask"),
            ({"vehicle": Vehicle.OWN}, "vehicle"),
            ({"vehicle": Vehicle.ON_FOOT}, "vehicle"),
            ({"day": DAY - timedelta(days=1)}, "day"),
            ({"day": DAY + timedelta(days=30)}, "day"),
        ],
    )
    @pytest.mark.parametrize("facts", [{"stays": HIGH_RISK}, {}])
    def test_names_what_yingkou_2_and_3_miss(
        self, facts: dict[str, Any], given: dict[str, Any], field: str
    ) -> None:
        case = case_under("yingkou-2022-11", "210800", **facts)

        with pytest.raises(OutingError) as refused:
            ask(case, **given)

        assert refused.value.field == field
        assert refused.value.sentence

    def test_allows_another_necessary_reason_where_the_clause_names_it(self) -> None:
        assert ask(case_under("yingkou-2022-11", "210800"), purpose=OutingPurpose.OTHER)

    def test_allows_only_a_medical_reason_where_no_exception_is_named(self) -> None:
        case = case_under("bayannur-2022-71", "150800", stays=HIGH_RISK)

        with pytest.raises(OutingError) as refused:
            ask(case, purpose=OutingPurpose.OTHER)

        assert refused.value.field == "purpose"
        assert ask(case, purpose=OutingPurpose.MEDICAL)

    def test_is_lenient_where_only_the_unnecessary_is_discouraged(self) -> None:
        case = case_under("cn-2022-101", "150800", arrived_from=None, closed_loop_post_ended=DAY)

        assert ask(case, purpose=OutingPurpose.OTHER, vehicle=Vehicle.OWN, mask=Mask.SURGICAL)

    def test_is_not_needed_by_somebody_free_to_go(self) -> None:
        case = case_under("yingkou-2022-11", "210800", arrived_from="210100")

        with pytest.raises(OutingError):
            ask(case)


class TestAnswering:
    @pytest.fixture
    def asked(self) -> Event:
        return ask(case_under("yingkou-2022-11", "210800", stays=HIGH_RISK))

    def test_approves_what_another_asked_for(self, asked: Event) -> None:
        approved = approve_outing(asked=asked, at=moment(DAY), by=make_user())

        assert (approved.kind, approved.about) == ("outing_approved", asked)

    def test_is_refused_to_the_one_who_asked(self, asked: Event) -> None:
        assert asked.by

        with pytest.raises(OwnRequestError):
            approve_outing(asked=asked, at=moment(DAY), by=asked.by)

    def test_happens_once(self, asked: Event) -> None:
        refuse_outing(asked=asked, reason="可上门", at=moment(DAY), by=make_user())

        with pytest.raises(AnsweredError):
            approve_outing(asked=asked, at=moment(DAY), by=make_user())
