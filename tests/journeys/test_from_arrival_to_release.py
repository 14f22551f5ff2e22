"""The portal's main job, day by day: two arrivals under two notices, from logging to release."""

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal

import pytest

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, User
from policy.engine.decisions.facts import Stay
from policy.services import in_force
from quarantine.acts.contacts import open_contacts
from quarantine.acts.daily_checks import daily_check
from quarantine.acts.household import proposed_contacts
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle, approve_outing, ask_outing
from quarantine.acts.release import release, release_proposals
from quarantine.acts.results import mark_missed
from quarantine.cases.calendars import calendar_of
from quarantine.cases.lifecycle import change_home_conditions
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.withdrawals import take_back_event
from quarantine.models import Case, Event
from tests.factories import (
    make_arrival,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db

ARRIVAL = date(2022, 11, 25)


def nth(number: int, start: date = ARRIVAL) -> date:
    return start + timedelta(days=number - 1)


@pytest.fixture
def bayannur() -> Area:
    return make_place("bayannur-2022-71", "150800")


@pytest.fixture
def cangshan() -> Area:
    return make_place("cangshan-2022-324", "350104")


@pytest.fixture
def staff(bayannur: Area, cangshan: Area) -> User:
    return make_user("grid_staff", bayannur, cangshan)


def kinds(case: Case) -> Sequence[str]:
    return list(
        Event.objects.valid().filter(case=case).order_by("pk").values_list("kind", flat=True)
    )


class TestSomebodyFromLanzhou:
    """Under Bayannur 71号, clause 4: seven days at home, tests on days 1, 3, 5 and 7."""

    def test_is_followed_to_the_release(self, bayannur: Area, staff: User) -> None:
        logged = make_arrival(
            bayannur,
            on=ARRIVAL,
            by=staff,
            arrived_from="620100",
            stays=(Stay("620102", None, ARRIVAL),),
        )
        case = logged.case
        assert case
        assert logged.decision.measure
        assert logged.decision.measure.clause == "4"
        laid = calendar_of(case, today=ARRIVAL)
        assert laid.required_tests == (nth(1), nth(3), nth(5), nth(7))
        assert (case.next_test_on, case.release_on) == (nth(1), nth(7))

        # Day 1: sampled and negative. Day 2: how are you? Day 3: nobody opened the door.
        make_result(case, nth(1))
        daily_check(
            case=case,
            temperature=Decimal("36.4"),
            symptoms=[],
            note="",
            at=moment(nth(2)),
            by=staff,
        )
        assert case.next_test_on == nth(3)
        mark_missed(case=case, day=nth(3), reason="敲门无应答", at=moment(nth(4), 9), by=staff)
        assert case.next_test_on == nth(4)
        make_result(case, nth(4))

        # Day 5: dialysis, and the pipes burst: central isolation for the rest.
        make_result(case, nth(5))
        asked = ask_outing(
            case=case,
            day=nth(5),
            purpose=OutingPurpose.MEDICAL,
            vehicle=Vehicle.ESCORTED,
            mask=Mask.N95,
            reason="透析",
            at=moment(nth(5), 9),
            by=staff,
        )
        approve_outing(asked=asked, at=moment(nth(5), 10), by=make_user("supervisor", bayannur))
        change_home_conditions(
            case=case, met=False, reason="水管爆裂", at=moment(nth(5), 20), by=staff
        )
        assert [day.setting for day in calendar_of(case, today=nth(5)).days] == [
            *["home"] * 4,
            *["central"] * 3,
        ]

        # Day 7: the result comes after midnight, so the release is on day 8.
        make_result(case, nth(7), hours=17)
        mine = Case.objects.visible_to(staff)
        assert not release_proposals(cases=mine, today=nth(7)).ready
        (ready,) = release_proposals(cases=mine, today=nth(8)).ready
        done = release(cases=[ready.case], at=moment(nth(8), 9), by=staff)
        assert done.released == [case]

        # One tap too early: taken back, and released again.
        released = case.events.get(kind=Event.Kind.RELEASED)
        take_back_event(event=released, at=moment(nth(8), 9, 5), by=staff)
        case.refresh_from_db()
        assert release(cases=[case], at=moment(nth(8), 10), by=staff).released == [case]

        case.refresh_from_db()
        assert (case.closed_as, case.closed_on) == (Case.ClosedAs.RELEASED, nth(8))
        assert kinds(case) == [
            "opened",
            "check",
            "test_missed",
            "outing_asked",
            "outing_approved",
            "home_conditions",
            "released",
        ]


class TestSomebodyFromShanghai:
    """Under Cangshan 324号 nothing is asked of arrivals, but an infection is followed."""

    def test_is_under_no_measure(self, cangshan: Area, staff: User) -> None:
        logged = make_arrival(cangshan, on=date(2022, 12, 16), by=staff, arrived_from="310000")

        assert logged.case is None
        assert logged.decision.plan is None
        assert logged.decision.because

    def test_brings_the_household_under_one_when_infected(
        self, cangshan: Area, staff: User
    ) -> None:
        start = date(2022, 12, 16)
        contact = make_arrival(cangshan, on=start, by=staff, exposure="close_contact").case
        assert contact
        relative = make_resident(household=contact.resident.household, by=staff)

        infected = make_result(contact, nth(2, start), outcome="positive", ct="22").opened
        assert infected
        at = moment(nth(2, start), 18)
        assert [one.resident for one in proposed_contacts(case=infected, at=at)] == [relative]
        (exposed,) = open_contacts(case=infected, residents=[relative], at=at, by=staff)

        # Five days for the contact, one test on day 5; the infected one passes on days 6 and 7.
        make_result(exposed, nth(6, start))
        assert release(cases=[exposed], at=moment(nth(6, start), 16), by=staff).released
        for number, ct in ((7, "35"), (8, "36.5")):
            make_result(infected, nth(number, start), outcome="positive", ct=ct)
        done = release(cases=[infected], at=moment(nth(8, start), 16), by=staff)
        assert done.released == [infected]


class TestTheHouse:
    def test_explains_every_open_case_and_names_nobody_in_its_audit(
        self, bayannur: Area, cangshan: Area, staff: User
    ) -> None:
        lanzhou = make_arrival(bayannur, on=ARRIVAL, by=staff, arrived_from="620100").case
        assert lanzhou
        make_arrival(cangshan, on=date(2022, 12, 16), by=staff, exposure="close_contact")

        assert unexplained_cases() == []
        audit = " ".join(
            f"{entry.did} {entry.subject} {entry.reason} {entry.detail}"
            for entry in AuditEntry.objects.all()
        )
        assert lanzhou.resident.name not in audit
        assert in_force(area=bayannur, at=moment(ARRIVAL))
