"""
Rows for tests, made through the services, with a default for everything that a test leaves out.

Nobody here is real: names are invented, numbers are counted up.
"""

from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from itertools import count
from typing import Any, cast
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from stdnum.iso7064 import mod_11_2

from accounts.staff.models import Area, Role, User
from policy.engine.decisions.facts import Person
from policy.engine.documents.library import Law
from policy.models import Activation, Provision
from policy.services import in_force, load_documents
from quarantine.acts.results import Recorded, record_result, take_sample
from quarantine.arrivals.services import Logged, log_arrival
from quarantine.models import Case
from residents.keypeople import services as keypeople
from residents.keypeople.facts import KeyFacts, Product
from residents.keypeople.models import Dose, HealthFile, Need
from residents.register import services as residents
from residents.register.models import Building, Household, Resident
from residents.whitelist import services as whitelist
from residents.whitelist.models import Worker
from testing import services as testing
from testing.models import NATResult

NOW = datetime(2022, 11, 22, 2, 0, tzinfo=UTC)  # ten in the morning in Shanghai
PASSWORD = "correct horse battery"
SHANGHAI = ZoneInfo("Asia/Shanghai")
LONG_AGO = datetime(2022, 10, 1, tzinfo=UTC)

_next = count(1)
Level = Area.Level


def make_area(
    *, parent: Area | None = None, level: str = Level.GRID, name: str = "", code: str = ""
) -> Area:
    number = next(_next)
    row = {"level": level, "name": name or f"{number}号", "code": code or f"{350104}{number:09}"}
    areas = Area.objects
    return cast(Area, areas.add_child(parent, row) if parent else areas.add_root(row))


def make_community(county: str = "350104") -> Area:
    """Make a community with all that lies above it, taking what is there already."""
    above: Area | None = None
    for code, level in (
        (county[:2] + "0000", Level.PROVINCE),
        (county[:4] + "00", Level.CITY),
        (county, Level.COUNTY),
        (county + "001", Level.STREET),
    ):
        there = Area.objects.filter(code=code).first()
        above = there or make_area(parent=above, level=level, code=code, name=f"地区{code}")
        above.refresh_from_db()
    number = next(_next)
    return make_area(
        parent=above,
        level=Level.COMMUNITY,
        code=f"{county}001{number:03}",
        name=f"第{number}社区",
    )


def make_grid(community: Area | None = None) -> Area:
    community = community or make_community()
    number = next(_next)
    community.refresh_from_db()
    return make_area(parent=community, code=f"{community.code}{number:03}", name=f"第{number}网格")


def make_user(role: str = Role.GRID_STAFF, *areas: Area, **given: Any) -> User:
    number = next(_next)
    user = User.objects.create_user(
        username=given.pop("username", f"user{number}"),
        password=given.pop("password", PASSWORD),
        name=given.pop("name", f"林{'甲乙丙丁戊己庚辛'[number % 8]}"),
        employer=given.pop("employer", f"示例单位{number}"),
        role=role,
        **given,
    )
    user.areas.set(areas)
    return user


def make_building(grid: Area | None = None, name: str = "") -> Building:
    return Building.objects.create(grid=grid or make_grid(), name=name or f"{next(_next)}号楼")


def make_household(
    *, grid: Area | None = None, building: Building | None = None, unit: str = "1", door: str = ""
) -> Household:
    return residents.household_at(
        building=building or make_building(grid),
        unit=unit,
        door=door or f"{next(_next) + 100}",
        floor=1,
    )


def id_number(born: date = date(1990, 5, 17), area: str = "190104", *, male: bool = True) -> str:
    """Make an identity number under an area code that does not exist, so nobody's."""
    start = f"{area}{born:%Y%m%d}{next(_next) % 100:02}{1 if male else 2}"
    return start + mod_11_2.calc_check_digit(start)


def make_resident(
    *,
    grid: Area | None = None,
    household: Household | None = None,
    by: User | None = None,
    at: datetime = NOW,
    **given: Any,
) -> Resident:
    household = household or make_household(grid=grid)
    return residents.register(
        household=household,
        name=given.pop("name", "张三"),
        document_type=given.pop("document_type", Resident.DocumentType.MAINLAND_ID),
        number=given.pop("number", None) or _free_number(),
        phone=given.pop("phone", "13800138000"),
        at=at,
        by=by or make_user(Role.GRID_STAFF, household.building.grid),
        **given,
    )


def named(name: str) -> Resident:
    """Return the one resident of this name, which no query can tell."""
    (found,) = [resident for resident in Resident.objects.all() if resident.name == name]
    return found


def make_file(resident: Resident, *, by: User | None = None, **facts: Any) -> HealthFile:
    """Tick facts about somebody (words of `KeyFacts`)."""
    known = HealthFile.objects.filter(resident=resident).first()
    return keypeople.note_facts(
        resident=resident,
        facts=KeyFacts(**facts),
        contraindication="",
        note="",
        version=known.version if known else 0,
        at=NOW,
        by=by or make_user(Role.GRID_STAFF, resident.grid),
    )


def make_dose(
    resident: Resident, on: date = date(2022, 3, 1), product: Product = "inactivated"
) -> Dose:
    """Record a dose of vaccine."""
    by = make_user(Role.GRID_STAFF, resident.grid)
    return keypeople.record_dose(resident=resident, day=on, product=product, at=NOW, by=by)


def make_need(
    resident: Resident, *, next_on: date | None = None, by: User | None = None, **given: Any
) -> Need:
    """Note what somebody needs, by who looks after it."""
    by = by or make_user(Role.GRID_STAFF, resident.grid)
    return keypeople.open_need(
        resident=resident,
        kind=given.get("kind", Need.Kind.MEDICINE),
        words=given.get("words", ""),
        responsible=by,
        next_on=next_on or NOW.date(),
        at=given.get("at", NOW),
        by=by,
    )


def make_worker(
    resident: Resident | None = None,
    *,
    post: str = "medical",
    on: date | None = None,
    until: date | None = None,
    **given: Any,
) -> Worker:
    """Put somebody on the white list for a month."""
    resident = resident or make_resident()
    on = on or NOW.date()
    return whitelist.list_worker(
        resident=resident,
        post=post,
        screening_post=given.get("screening_post", ""),
        employer=given.get("employer", "示例医院"),
        valid_from=on,
        valid_until=until or on + timedelta(days=30),
        at=moment(on),
        by=make_user(Role.GRID_STAFF, resident.grid),
    )


def make_proof(resident: Resident, at: datetime, *, outcome: str = "negative") -> NATResult:
    """Record a sample taken at a moment, with its result two hours later."""
    by = make_user(Role.GRID_STAFF, resident.grid)
    sample = testing.take_sample(resident=resident, taken_at=at, at=at, by=by)
    reported = at + timedelta(hours=2)
    return testing.record_result(
        sample=sample,
        outcome=NATResult.Outcome(outcome),
        ct=None,
        reported_at=reported,
        at=reported,
        by=by,
    )


def _free_number() -> str:
    # A day of birth of its own for each hundred: the two digits of `id_number` run round.
    number = next(_next)
    return id_number(date.fromordinal(date(1950, 1, 1).toordinal() + number % 20_000))


def moment(day: date, hour: int = 12, minute: int = 0) -> datetime:
    """Make a moment of a day in Asia/Shanghai."""
    return datetime.combine(day, time(hour, minute), SHANGHAI)


def put_in_force(document: str, area: Area, *, effective_from: datetime = LONG_AGO) -> Activation:
    """Make an approved activation, by two administrators."""
    if not Provision.objects.exists():
        load_documents()  # a test with real transactions has emptied the tables
    proposer, approver = make_user(Role.ADMINISTRATOR), make_user(Role.ADMINISTRATOR)
    return Activation.objects.create(
        document=document,
        area=area,
        effective_from=effective_from,
        reason="示例",
        proposed_by=proposer,
        proposer_employer=proposer.employer,
        proposed_at=effective_from,
        approved_by=approver,
        approver_employer=approver.employer,
        approved_at=effective_from,
    )


def make_place(document: str, county: str, *, effective_from: datetime = LONG_AGO) -> Area:
    """Make a grid in a county, with a document in force for the whole county."""
    grid = make_grid(make_community(county))
    put_in_force(document, Area.objects.get(code=county), effective_from=effective_from)
    return grid


def make_arrival(
    grid: Area,
    *,
    on: date = date(2022, 11, 20),
    resident: Resident | None = None,
    law: Law | None = None,
    key: UUID | None = None,
    at: datetime | None = None,
    by: User | None = None,
    **facts: Any,
) -> Logged:
    """Log the arrival of somebody with `facts` (words of `decisions.facts.Person`)."""
    at = at or moment(on)
    law = law or in_force(area=grid, at=at)
    assert law is not None, "put a document in force first"
    return log_arrival(
        key=key or uuid4(),
        resident=resident or make_resident(grid=grid),
        grid=grid,
        facts=Person(start=on, **facts),
        origin=facts.get("arrived_from") or "",
        from_abroad="inbound" in facts,
        law=law,
        at=at,
        by=by or make_user(Role.GRID_STAFF, grid),
    )


def make_case(grid: Area | None = None, **given: Any) -> Case:
    """Make the case of somebody who arrived from Shanghai in Yingkou: five days at home."""
    grid = grid or make_place("yingkou-2022-11", "210800")
    logged = make_arrival(grid, **{"arrived_from": "310000", **given})
    assert logged.case is not None
    return logged.case


def make_result(
    case: Case, on: date, *, outcome: str = "negative", ct: str | None = None, hours: int = 6
) -> Recorded:
    """Make a sample of a case at eight on a day, with its result some hours later."""
    by = make_user(Role.GRID_STAFF, case.grid)
    taken = moment(on, 8)
    case.refresh_from_db()
    sample = take_sample(case=case, taken_at=taken, at=taken, by=by)
    reported = taken + timedelta(hours=hours)
    recorded = record_result(
        sample=sample,
        outcome=NATResult.Outcome(outcome),
        ct=None if ct is None else Decimal(ct),
        reported_at=reported,
        at=reported,
        by=by,
        confirmed=True,
    )
    case.refresh_from_db()
    return recorded
