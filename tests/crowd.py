"""A district with very many open cases, as unlike each other as people are; made set by set."""

import json
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from io import StringIO

from django.db import connection, transaction
from django.db.models import Model, QuerySet

from accounts.staff.models import Area, Role
from policy.engine.calendars.plans import Plan
from policy.engine.decisions.facts import Inbound, Person, Stay
from policy.engine.moments import nth_day
from policy.services import law_at
from quarantine.cases import standing
from quarantine.cases.calendars import decode_history, lay_plan
from quarantine.cases.facts import decide_on, pack
from quarantine.cases.plans import store_plan
from quarantine.models import Arrival, Case, Event
from quarantine.models import Plan as PlanRow
from residents.register.models import Resident
from testing.models import NATResult, Sample
from tests.factories import (
    PASSWORD,
    make_case,
    make_community,
    make_grid,
    make_place,
    make_result,
    make_user,
    moment,
)

COUNTY = "350104"
OPENED = "cn-2022-101"
NOW_IN_FORCE = "cn-2022-113"
TODAY = date(2022, 12, 7)
SWITCH = moment(TODAY, 0)
GRIDS = 1_000
# Cities that people come from; each is another fact.
ORIGINS = [
    f"{province}{city:02}00"
    for province in (*range(11, 16), *range(21, 24), *range(31, 38), *range(41, 47), 50, 51, 53)
    for city in range(1, 13)
]
# Days before day 1 on which everybody was screened; no calendar asks for them.
SCREENED = (2, 4)
# So many cases share one set of facts and one history, on average.
ALIKE = 5
# One case in so many is a second ground, alike, of the person of the case before it.
OF_SEVERAL = 100


def make_district(grids: int = GRIDS) -> list[int]:
    """Make a district with a supervisor and the twenty measures in force; return its grids."""
    community = Area.objects.get_parent(make_place(OPENED, COUNTY))
    make_user(
        Role.SUPERVISOR, Area.objects.get(code=COUNTY), username="supervisor", password=PASSWORD
    )
    for number in range(1, grids):
        if number % 50 == 0:
            community = make_community(COUNTY)
        make_grid(community)
    return list(Area.objects.filter(level=Area.Level.GRID).values_list("pk", flat=True))


def fill(number: int, grids: list[int], *, today: date = TODAY, with_results: bool = True) -> None:
    """Make `number` open cases as of a day, with about four results each where asked."""
    chance = random.Random(number)  # noqa: S311 - the same crowd each time
    template = _template(today)
    with connection.cursor() as cursor:
        cursor.execute("SELECT setseed(0.5)")
        cursor.execute("DROP TABLE IF EXISTS kinds, crowd")
        cursor.execute(
            "CREATE TEMPORARY TABLE kinds (kind int primary key, facts jsonb, proof boolean,"
            " day_1 date, plan bigint, provision bigint, history text, next_test_on date,"
            " release_on date, sampled date[])"
        )
        kinds = max(number // ALIKE, 1)
        cursor.copy_expert(
            "COPY kinds FROM STDIN", StringIO("".join(_kinds(kinds, today, chance)))
        )
        cursor.execute(
            "CREATE TEMPORARY TABLE crowd AS SELECT n, (%(first)s + n)::bigint AS id,"
            " n %% %(of_several)s = 0 AS again, (random() * random() * %(kinds)s)::int AS kind,"
            " (%(grids)s::bigint[])"
            "[1 + (n - (n %% %(of_several)s = 0)::int) %% %(places)s] AS grid"
            " FROM generate_series(1, %(number)s) n;"
            " UPDATE crowd SET kind = before.kind FROM crowd before"
            " WHERE crowd.again AND before.n = crowd.n - 1; ANALYZE kinds; ANALYZE crowd",
            {
                "first": _first(),
                "of_several": OF_SEVERAL,
                "kinds": kinds - 1,
                "grids": grids,
                "places": len(grids),
                "number": number,
            },
        )
        # Rows that are copies of checked ones: no trigger looks at each again.
        cursor.execute("SET session_replication_role = replica")
        once = "crowd JOIN kinds k USING (kind)"
        _copy(Resident, template.resident_id, once)
        _copy(Arrival, template.arrival_id or 0, once)
        _copy(Case, template.pk, once)
        if with_results:
            each = f"{once}, unnest(k.sampled) WITH ORDINALITY s (day, nth) WHERE NOT crowd.again"
            result = NATResult.objects.get(sample__resident=template.resident_id)
            _copy(Sample, result.sample_id, each)
            _copy(NATResult, result.pk, f"{each} AND {_FOUND}")
            missed = r"regexp_matches(k.history, '(\d+)!', 'g') m"
            _copy(Event, template.events.earliest("pk").pk, f"{once}, {missed}")
        cursor.execute("SET session_replication_role = DEFAULT")
        Case.objects.filter(pk=template.pk).update(closed_on=today, closed_as="completed")
        with transaction.atomic():
            standing.settle(_under_several(), today=today, tell=True)
        cursor.execute("VACUUM ANALYZE")


def _under_several() -> QuerySet[Case, int]:
    return Case.objects.open().filter(governs=False).values_list("resident", flat=True)


def _first() -> int:
    last = Resident.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    return 10 * last + 10_000


def _template(today: date) -> Case:
    """Make one case with one result: the rows that all others are copies of."""
    grid = Area.objects.filter(level=Area.Level.GRID).first()
    case = make_case(grid, on=today, exposure="close_contact", arrived_from=None)
    make_result(case, today)
    return case


def _copy(model: type[Model], pk: int, among: str) -> None:
    """Copy a row for each of the crowd, with what is particular to each."""
    table, particular = model._meta.db_table, PARTICULAR[model]
    columns = [str(field.column) for field in model._meta.local_concrete_fields]
    values = ", ".join(particular.get(column, f"t.{column}") for column in columns)
    template = f"(SELECT * FROM {table} WHERE id = %s) t"  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({', '.join(columns)}) SELECT {values} FROM {template}, {among}",  # noqa: S608
            [pk],
        )


_EACH = {"id": "crowd.id", "key": "gen_random_uuid()"}
_FACTS = (
    "CASE WHEN k.proof THEN k.facts || jsonb_build_object('proof',"
    " jsonb_build_array(-(random() * 360000)::int, NULL)) ELSE k.facts END"
)
_TAKEN = "crowd.id * 10 + s.nth"
_WHOSE = "crowd.id - crowd.again::int"
_NUMBER = "(s.day - k.day_1 + 1)"
_FOUND = f"({_NUMBER} < 1 OR k.history ~ ('(^| )' || {_NUMBER} || '-'))"
PARTICULAR: dict[type[Model], dict[str, str]] = {
    Resident: {
        **_EACH,
        "grid_id": "crowd.grid",
        "number_hash": "md5(crowd.id::text)",
    },
    Arrival: {
        **_EACH,
        "resident_id": _WHOSE,
        "grid_id": "crowd.grid",
        "arrived_on": "k.day_1 - 30 * crowd.again::int",
        "provision_id": "k.provision",
    },
    Case: {
        **_EACH,
        "resident_id": _WHOSE,
        "governs": "NOT crowd.again",
        "grid_id": "crowd.grid",
        "arrival_id": "crowd.id",
        "day_1": "k.day_1",
        "facts": _FACTS,
        "plan_id": "k.plan",
        "told_plan_id": "k.plan",
        "history": "k.history",
        "next_test_on": "k.next_test_on",
        "release_on": "k.release_on",
        "told_release_on": "k.release_on",
        "told_day_1": "k.day_1",
    },
    Sample: {
        **_EACH,
        "id": _TAKEN,
        "resident_id": "crowd.id",
        "day": "s.day",
    },
    NATResult: {
        "id": _TAKEN,
        "sample_id": _TAKEN,
        "reported_at": "(s.day + time '14:00') AT TIME ZONE 'Asia/Shanghai'",
    },
    Event: {
        "id": "crowd.id * 10 + m[1]::int",
        "case_id": "crowd.id",
        "kind": "'test_missed'",
        "day": "k.day_1 + m[1]::int - 1",
        "at": "(k.day_1 + m[1]::int + time '09:00') AT TIME ZONE 'Asia/Shanghai'",
    },
}


def _kinds(number: int, today: date, chance: random.Random) -> Iterator[str]:
    law, rows = law_at(OPENED, COUNTY), dict[str, PlanRow]()
    for kind in range(number):
        plan = None
        while plan is None:
            day_1 = today - timedelta(days=chance.choice((0, 1, 2, 3, 4, 5, 5, 6, 6, 7)))
            person = _person(day_1, chance)
            plan = decide_on(law, person).plan
        history, sampled = _history(plan, day_1, today, chance)
        laid = lay_plan(
            plan,
            day_1,
            decode_history(history, day_1),
            today=today,
            law_from=None,
            freed_on=None,
            transition="",
        )
        row = rows.get(plan.digest) or rows.setdefault(plan.digest, store_plan(plan))
        packed = pack(person, start=day_1, day_1=day_1)
        values = (
            kind,
            json.dumps(packed),
            chance.random() < 0.2,
            day_1,
            row.pk,
            row.provision_id,
            history,
            laid.next_test_on,
            laid.earliest_release,
            "{" + ",".join(map(str, sampled)) + "}",
        )
        yield "\t".join("\\N" if each is None else str(each) for each in values) + "\n"


def _person(day_1: date, chance: random.Random) -> Person:
    origin = chance.choice(ORIGINS)
    kind = chance.random()
    somebody = Person(start=day_1, home_conditions_met=chance.random() < 0.9)
    if kind < 0.35:
        return replace(somebody, exposure="close_contact")
    if kind < 0.4:
        return replace(somebody, inbound=Inbound(5, 0, origin))
    ago = timedelta(days=chance.randint(0, 7))
    stay = Stay(origin, "high" if kind < 0.75 else "low", day_1 - ago)
    return replace(somebody, arrived_from=origin, stays=(stay,))


def _history(
    plan: Plan, day_1: date, today: date, chance: random.Random
) -> tuple[str, list[date]]:
    """Return what happened on the days asked for so far: mostly a result on the same day."""
    said, sampled = [], [day_1 - timedelta(days=ago) for ago in SCREENED]
    for number in plan.days_asked("must"):
        day = nth_day(day_1, number)
        if day > today or (day == today and chance.random() < 0.5):
            continue
        luck = chance.random()
        if luck < 0.02 and day < today:
            said.append(f"{number}!")
            continue
        sampled.append(day)
        said.append(f"{number}" if luck < 0.04 else f"{number}-")
    return " ".join(said), sampled
