"""Cases with the days that a test names; how the law finds such days is not the matter here."""

import uuid
from datetime import date, datetime
from typing import Any

from accounts.staff.models import Area, User
from policy.engine.calendars import plans as engine
from policy.engine.calendars.plans import PlannedStage
from policy.models import Provision
from quarantine.models import Arrival, Case, Plan
from residents.register.models import Resident
from tests.factories import NOW, make_grid, make_household, make_resident, make_user


def make_case(
    *, grid: Area | None = None, day_1: date, phone: str = "13800138000", **days: Any
) -> Case:
    grid = grid or make_grid()
    by = make_user("grid_staff", grid)
    return _open(make_resident(grid=grid, phone=phone, by=by), by=by, day_1=day_1, **days)


def make_many(number: int, *, grid: Area, day_1: date, **days: Any) -> list[Case]:
    """Make many cases in one household, quickly."""
    by = make_user("grid_staff", grid)
    household = make_household(grid=grid)
    residents = Resident.objects.bulk_create(
        Resident(
            household=household,
            grid=grid,
            name="张三",
            document_type=Resident.DocumentType.NONE,
            phone=f"+86138{number_:08}",
            created_at=NOW,
        )
        for number_ in range(number)
    )
    arrivals = Arrival.objects.bulk_create(_arrival(each, by, day_1) for each in residents)
    plan = _plan()
    return Case.objects.bulk_create(
        _case(each.resident, each, plan, day_1=day_1, **days) for each in arrivals
    )


def _open(resident: Resident, *, by: User, day_1: date, **days: Any) -> Case:
    arrival = _arrival(resident, by, day_1)
    arrival.save()
    case = _case(resident, arrival, _plan(), day_1=day_1, **days)
    case.save()
    return case


def _plan() -> Plan:
    """Make a plan of seven days at home, with tests on days 1, 3, 5 and 7."""
    provision, _ = Provision.objects.get_or_create(
        document="cn-101", clause="3", subject="high_risk_stay"
    )
    week = PlannedStage("home", 7, tests=(1, 3, 5, 7), movement="forbidden")
    content = engine.Plan("cn-101", "3", "high_risk_stay", stages=(week,))
    plan, _ = Plan.objects.get_or_create(
        digest=content.digest, defaults={"provision": provision, "content": content.to_json()}
    )
    return plan


def _arrival(resident: Resident, by: User, day: date) -> Arrival:
    return Arrival(
        key=uuid.uuid4(),
        resident=resident,
        grid=resident.grid,
        arrived_on=day,
        facts={},
        law="cn-101",
        provision=_plan().provision,
        logged_at=NOW,
        logged_by=by,
    )


def _case(resident: Resident, arrival: Arrival, plan: Plan, *, day_1: date, **days: Any) -> Case:
    opened_at: datetime = days.pop("opened_at", NOW)
    return Case(
        resident=resident,
        grid=resident.grid,
        arrival=arrival,
        plan=plan,
        facts={},
        opened_under="cn-101",
        law="cn-101",
        told_plan=plan,
        told_release_on=days.get("release_on"),
        told_day_1=day_1,
        opened_at=opened_at,
        day_1=day_1,
        **days,
    )
