"""Lists and searches among 200,000 generated residents, compared with their queries alone."""

import io
import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from functools import partial
from itertools import product
from pathlib import Path
from statistics import median
from time import perf_counter
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from stdnum.iso7064 import mod_11_2

from accounts.staff.models import Area, Role, User
from bench import Figure, figure
from common import clock
from common.encryption import encrypt, search_hash
from portal.exports import making
from portal.exports.lists import LISTS, ExportScope
from residents.register import services
from residents.register.addresses import building_key
from residents.register.models import Building, Household, Resident
from residents.rosters.copying import sealer
from residents.search import name_keys

MAINLAND_ID = Resident.DocumentType.MAINLAND_ID
STREETS, COMMUNITIES, GRIDS = 5, 8, 17
BUILDINGS, UNITS, FLOORS, DOORS = 4, 3, 8, 1  # a grid has 96 doors
PEOPLE = 295  # of a grid
ROUNDS = 15
MOST_SECONDS = 0.100
MOST_QUERIES = 12
MOST_TIMES_READ, MOST_MEGABYTES = 2, 300
GOAL = f"below {MOST_SECONDS * 1000:.0f} ms, {MOST_QUERIES} queries"

_SURNAMES = "王李张刘陈杨黄赵周吴徐孙朱马胡郭林何高梁郑罗宋谢唐韩曹许邓萧冯曾程蔡彭潘袁单仇解区查"
_GIVEN = (
    "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建国文玉兰红春梅海燕晓东志鹏宇轩浩"
    "子涵欣怡梓雨嘉俊博思佳瑞一诺天佑安琪"
)

# Searches for existing values, from the most to the least selective.
SEARCHES = {
    "a whole number": "{number}",
    "a whole phone": "{phone}",
    "last four": "{last}",
    "a door": "3-2-501",
    "a building": "3号楼",
    "a surname": "王",
    "a name": "王晓明",
    "part of a name": "晓明",
    "pinyin": "wangxiaom",
    "initials": "wxm",
    "pinyin and initials": "wangxm",
    "one syllable": "wei",
    "nobody": "鑫鑫鑫",
}


def run() -> list[Figure]:
    """Return the figures of lists and searches for a grid, a community and a district."""
    with district() as (people, sample):
        figures = [
            _listed(scope, user, page)
            for scope, user in people.items()
            for page in ("first", "middle")
        ]
        for scope, user in people.items():
            figures += [
                _searched(scope, user, name, text.format(**sample))
                for name, text in SEARCHES.items()
            ]
        figures += _compared(people["community"])
        return [*figures, *_taken(people["district"])]


def _taken(by: User) -> list[Figure]:
    """Return the time for a file of all residents, compared with reading them, and its memory."""
    scope = ExportScope(by, by.areas.get(), clock.now())  # noqa: TID251 - a bench is an edge, too
    start = perf_counter()
    rows = sum(1 for _row in LISTS["residents"].rows(scope))
    read = perf_counter() - start
    before, start = _memory("VmRSS"), perf_counter()
    # Reset the peak memory: https://docs.kernel.org/filesystems/proc.html
    Path("/proc/self/clear_refs").write_text("5")
    file = making.order_file(what="residents", scope=scope, kind="xlsx", language="zh-hans")
    making.make_ordered(key=file.key, at=scope.at)
    seconds, grown = perf_counter() - start, _memory("VmHWM") - before
    most = MOST_TIMES_READ
    return [
        figure(
            f"a file of {rows:,} residents, masked (s)",
            seconds,
            reference=read,
            goal=f"at most {most} times reading them",
            ok=seconds <= most * read,
        ),
        figure(
            "its memory (MB)",
            grown,
            goal=f"at most {MOST_MEGABYTES} MB",
            ok=grown <= MOST_MEGABYTES,
        ),
    ]


def _memory(which: str) -> float:
    """Return the memory of this process in MB, now (VmRSS) or at most (VmHWM)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split(f"{which}:")[1].split()[0]) / 1024


@contextmanager
def district() -> Iterator[tuple[dict[str, User], dict[str, str]]]:
    """Create a district of 200,000 people in a temporary database; yield users and a sample."""
    before = settings.DATABASES["default"]["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        county, communities, grids = _areas()
        sample = _settle(grids)
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")
        yield (
            {
                "grid": _worker("grid", Role.GRID_STAFF, grids[len(grids) // 2]),
                "community": _worker("community", Role.SUPERVISOR, communities[20]),
                "district": _worker("district", Role.SUPERVISOR, county),
            },
            sample,
        )
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def _worker(name: str, role: Role, area: Area) -> User:
    user = User.objects.create_user(username=f"bench.{name}", name=name, role=role)
    user.areas.set([area])
    return user


def _areas() -> tuple[Area, list[Area], list[Area]]:
    county: dict[str, object] = _area("199901", "county")
    county["children"] = [
        _area(
            f"199901{street:03}",
            "street",
            [
                _area(
                    f"199901{street:03}{community:03}",
                    "community",
                    [
                        _area(f"199901{street:03}{community:03}{grid:03}", "grid")
                        for grid in range(1, GRIDS + 1)
                    ],
                )
                for community in range(1, COMMUNITIES + 1)
            ],
        )
        for street in range(1, STREETS + 1)
    ]
    Area.load_bulk([county])
    areas = list(Area.objects.order_by("path"))
    of_level = {
        level: [area for area in areas if area.level == level] for level in ("community", "grid")
    }
    return areas[0], of_level["community"], of_level["grid"]


def _area(code: str, level: str, children: list[object] | None = None) -> dict[str, object]:
    row: dict[str, object] = {"data": {"code": code, "level": level, "name": f"示例{code[-3:]}"}}
    return {**row, "children": children} if children else row


def _settle(grids: list[Area]) -> dict[str, str]:
    """Fill the grids, and return the number, phone and last four digits of one resident."""
    chance = random.Random(1)  # noqa: S311 - not for secrets
    names = [f"{number}号楼" for number in range(1, BUILDINGS + 1)]
    Building.objects.bulk_create(
        Building(grid=grid, name=name, name_key=building_key(name))
        for grid in grids
        for name in names
    )
    buildings = Building.objects.order_by("pk").values_list("pk", "grid_id")
    _copy(Household, HOUSEHOLD, _households([pk for pk, _grid in buildings], chance))
    homes: dict[int, list[int]] = {}
    for pk, grid in Household.objects.order_by("pk").values_list("pk", "building__grid_id"):
        homes.setdefault(grid, []).append(pk)
    rows = list(_residents(homes, chance))
    _copy(Resident, RESIDENT, rows)
    number, phone = map(str, rows[len(rows) // 2][-2:])
    return {"number": number, "phone": phone, "last": phone[-4:]}


HOUSEHOLD = ["key", "building_id", "unit", "door", "door_hash", "unit_key", "door_key"]
RESIDENT = [
    *("key", "household_id", "grid_id", "name", "name_key", "name_words", "name_hash"),
    *("document_type", "number", "number_hash", "number_end", "sex", "birth_date", "phone"),
    *("phone_hash", "phone_end", "emergency_name", "emergency_phone", "created_at", "version"),
    "gone_as",
]


def _households(buildings: list[int], chance: random.Random) -> Iterator[list[object]]:
    doors = {
        door: (search_hash(door, context=services.DOOR), services.door_columns("1单元", door))
        for door in (f"{f}{d:02}" for f in range(1, FLOORS + 1) for d in range(1, DOORS + 1))
    }
    for building, unit in product(buildings, range(1, UNITS + 1)):
        for door, (hashed, columns) in doors.items():
            sealed = encrypt(door, context="residents_household.door")
            key = columns["door_key"]
            yield [_uuid(chance), building, f"{unit}单元", sealed, hashed, str(unit), key]


def _residents(homes: dict[int, list[int]], chance: random.Random) -> Iterator[list[object]]:
    at, count = clock.now().isoformat(), 0  # noqa: TID251 - a bench is an edge, too
    seal = sealer(Resident, "name")
    for grid, doors in homes.items():
        for _resident in range(PEOPLE):
            count += 1
            characters = chance.choices(_GIVEN, k=chance.choice((1, 2, 2)))
            name = chance.choice(_SURNAMES) + "".join(characters)
            named, key = name_keys.columns(name), _uuid(chance)
            born = date(1930, 1, 1) + timedelta(days=chance.randrange(33_000))
            number = _number(born, count)
            phone = f"+86139{count:08}"
            numbered = services.number_columns(MAINLAND_ID, number)
            reached = services.phone_columns(phone)
            yield [
                *(key, chance.choice(doors), grid, seal(name, str(key))),
                *(named.key, named.words, named.hash),
                *(MAINLAND_ID, encrypt(number, context="residents_resident.number")),
                *(numbered["number_hash"], numbered["number_end"], "female", born),
                *(encrypt(phone, context="residents_resident.phone"), reached["phone_hash"]),
                *(reached["phone_end"], b"", b"", at, 1, "", number, phone),
            ]


def _uuid(chance: random.Random) -> UUID:
    return UUID(int=chance.getrandbits(128), version=4)


def _number(born: date, count: int) -> str:
    # No province has the code 19.
    stem = f"19{count // 999:04}{born:%Y%m%d}{count % 999:03}"
    return stem + mod_11_2.calc_check_digit(stem)


def _copy(
    model: type[Household | Resident], columns: list[str], rows: Iterable[list[object]]
) -> None:
    lines = io.StringIO()
    for row in rows:
        lines.write("\t".join(_cell(value) for value in row[: len(columns)]) + "\n")
    lines.seek(0)
    with connection.cursor() as cursor:
        cursor.copy_expert(f"COPY {model._meta.db_table} ({','.join(columns)}) FROM STDIN", lines)


def _cell(value: object) -> str:
    if isinstance(value, bytes):
        return f"\\\\x{value.hex()}"
    return str(value).replace("\\", "\\\\")


def _listed(scope: str, user: User, which: str) -> Figure:
    client = client_of(user)
    address = "/residents/"
    if which == "middle":
        visible = Resident.objects.visible_to(user).here().order_by("name_key", "pk")
        half = visible.count() // 2
        address += f"?after={visible.values_list('pk', flat=True)[half]}"
    return measured(f"{scope}: list, {which} page", lambda: client.get(address).status_code)


def _compared(user: User) -> list[Figure]:
    """Return the time to find possible duplicates."""
    client, resident = client_of(user), Resident.objects.visible_to(user).order_by("pk")[0]
    return [
        measured(f"community: {label}", partial(_status, client, address))
        for label, address in (
            ("registered twice, the list", "/duplicates/"),
            ("registered twice, of one", f"/duplicates/{resident.key}/"),
        )
    ]


def _status(client: Client, address: str) -> int:
    return client.get(address).status_code


def _searched(scope: str, user: User, name: str, text: str) -> Figure:
    client = client_of(user)
    return measured(
        f"{scope}: search, {name}",
        lambda: client.post("/residents/", {"text": text}).status_code,
    )


def client_of(user: User) -> Client:
    """Return a browser in which `user` has opened a page."""
    client = Client()
    client.force_login(user)
    client.get("/residents/")  # the first page of a session also saves it
    return client


def measured(name: str, page: Callable[[], int]) -> Figure:
    """Return the time of a page, compared with its queries alone."""
    if page() != 200:
        raise RuntimeError(f"{name} does not answer.")
    with CaptureQueriesContext(connection) as captured:
        page()
    queries = [query["sql"] for query in captured.captured_queries]
    selects = [query for query in queries if query.startswith("SELECT")]
    took = _median(page)
    return figure(
        f"residents: {name}, {len(queries)} queries, ms",
        took * 1000,
        reference=_median(lambda: _ask(selects)) * 1000,
        goal=GOAL,
        ok=took < MOST_SECONDS and len(queries) <= MOST_QUERIES,
    )


def _ask(queries: list[str]) -> None:
    with connection.cursor() as cursor:
        for query in queries:
            cursor.execute(query)
            cursor.fetchall()


def _median(do: Callable[[], object]) -> float:
    times = []
    for _round in range(ROUNDS):
        began = perf_counter()
        do()
        times.append(perf_counter() - began)
    return median(times)
