"""What somebody finds who has a copy of the database and no key."""

import base64
import io
from collections.abc import Iterator

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from accounts.exports import requests
from accounts.exports.models import ExportFile, ExportPurpose
from accounts.staff.models import Area, Role, User
from portal.exports import making
from quarantine.cases.lifecycle import add_note, record
from quarantine.duplicates import merging
from quarantine.models import Event
from reminders.models import Message
from reminders.sweep import sweep
from residents.duplicates.merging import Field
from residents.duplicates.models import Merge
from residents.openings.models import Opening
from residents.openings.services import open_record
from residents.register.models import Resident
from residents.relocation import handovers
from residents.relocation.models import Handover
from residents.rosters.models import RosterFile, RosterRow, StagedResident
from tests.factories import (
    NOW,
    id_number,
    make_case,
    make_community,
    make_household,
    make_need,
    make_resident,
    make_user,
    named,
)
from tests.residents.rosters import steps

pytestmark = pytest.mark.django_db

PHONE, EMERGENCY, DOOR = "13877661234", "13877665678", "门牌7788"
NOTE, REASON, WORDS = "对青霉素过敏", "屋顶漏水无法居住", "家属周某来电询问"
# People, by their given names; what a dump may show is how their surnames sound.
NAME, TWICE, STAGED, ASIDE, MOVED = "欧阳慧娴", "司徒婧涵", "上官翊宸", "端木婉婷", "令狐皓轩"
NAMES = (NAME, TWICE, STAGED, ASIDE, MOVED)
SPELT = ("ouyang", "huixian", "jinghan", "yichen", "wanting", "haoxuan")


@pytest.fixture
def secrets(client: Client) -> list[str]:
    """Let somebody use the portal for a person; return what must not be legible afterwards."""
    resident = make_resident(
        name=NAME,
        household=make_household(door=DOOR),
        phone=PHONE,
        emergency_name="周某某",
        emergency_phone=EMERGENCY,
    )
    by = make_user("supervisor", resident.grid)
    case = make_case(resident=make_resident(phone=PHONE))
    add_note(case=case, text=NOTE, at=NOW, by=by)
    record(case=case, kind=Event.Kind.HOME_CONDITIONS, reason=REASON, at=NOW, by=by)
    make_need(resident, words=WORDS)
    client.force_login(by)
    uncover = reverse("resident_uncover", args=[resident.key, "phone"])
    client.post(uncover, {"reason": "other", "words": WORDS})
    for text in (PHONE, NAME, "huixian"):
        client.post(reverse("resident_list"), {"text": text})
    numbers = [resident.number, case.resident.number]
    return [*numbers, PHONE, EMERGENCY, "周某某", DOOR, NOTE, REASON, WORDS]


@pytest.fixture
def names(secrets: list[str]) -> list[str]:
    """Take names wherever the portal keeps them; return what must not be legible of them."""
    resident = named(NAME)
    community = Area.objects.get_parent(resident.grid)
    by = make_user(Role.SUPERVISOR, community)
    make_case(resident=resident)
    _list_them(resident.grid, community)
    _merge_them(resident, by)
    _hand_over(resident, make_community(), by)
    _open_elsewhere(resident)
    _export_them(community, by)
    sweep(at=NOW)
    kept = (RosterRow, RosterFile, StagedResident, Merge, Handover, Opening, ExportFile, Message)
    assert all(model.objects.exists() for model in kept)
    return [*NAMES, *(name[2:] for name in NAMES), *SPELT]


def _list_them(grid: Area, community: Area) -> None:
    """Let one roster be taken over, and another be checked, with a row that is put aside."""

    def row(name: str, phone: str = PHONE) -> list[str]:
        return [name, id_number(), phone, grid.name, "3号楼", "2单元", "502"]

    steps.taken_over(steps.workbook(row(MOVED), row(ASIDE, "1387766")), community)
    steps.checked(steps.workbook(row(STAGED), row(ASIDE, "1387766")), community)


def _merge_them(kept: Resident, by: User) -> None:
    merged = make_resident(name=TWICE, grid=kept.grid, by=by)
    merging.merge(
        kept=kept,
        merged=merged,
        versions=(kept.version, merged.version),
        take=[Field.NAME],
        at=NOW,
        by=by,
    )
    kept.refresh_from_db()
    assert kept.name == TWICE


def _hand_over(resident: Resident, to: Area, by: User) -> None:
    handover = handovers.offer(
        resident=resident, to=to, day=NOW.date(), note=f"{NAME}搬走", at=NOW, by=by
    )
    other = make_user(Role.SUPERVISOR, to)
    handovers.refuse(handover=handover, reason=f"{NAME}不在此处", at=NOW, by=other)


def _open_elsewhere(resident: Resident) -> None:
    by = make_user(Role.SUPERVISOR, make_community())
    open_record(text=resident.number, reason=f"{NAME}来电", today=NOW.date(), by=by)


def _export_them(area: Area, by: User) -> None:
    """Let a file with unmasked names wait for whoever asked for it."""
    request = requests.ask(
        what="residents",
        area=area,
        filters={},
        fields=["name"],
        kind="xlsx",
        purpose=ExportPurpose.values[0],
        reason=f"转交{NAME}一户",
        at=NOW,
        by=by,
    )
    second = make_user(Role.SUPERVISOR, area, employer="示例疾控")
    requests.approve(request=request, at=NOW, by=second)
    scope = making.scope_of(request=request, at=NOW, by=by)
    file = making.order_file(
        what="residents", scope=scope, kind="xlsx", language="zh-hans", request=request
    )
    assert making.make_ordered(key=file.key, at=NOW)
    file.refresh_from_db()
    assert file.content


def dump() -> bytes:
    """Return all rows of all tables as pg_dump writes them."""
    dumped = io.BytesIO()
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.copy_expert(f'COPY "{table}" TO STDOUT', dumped)
    return dumped.getvalue()


def disguises(secret: str) -> Iterator[bytes]:
    """Yield a text as it would stand in a column of bytes, in base64, in other encodings."""
    for encoding in ("utf-8", "gb18030", "utf-16-le"):
        raw = secret.encode(encoding)
        yield raw
        yield raw.hex().encode()
        for shift in range(3):  # base64 of a text in the midst of another
            whole = base64.b64encode(b"\0" * shift + raw)
            inner = whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
            yield inner
            yield inner.hex().encode()
    escaped = secret.encode("unicode_escape")
    yield escaped
    yield escaped.replace(b"\\", b"\\\\")  # as COPY writes a backslash


def legible(secrets: list[str]) -> set[str]:
    """Return those of `secrets` that stand in a dump."""
    dumped = dump()
    assert len(dumped) > 10_000
    return {
        secret
        for secret in secrets
        if any(len(one) > 5 and one in dumped for one in disguises(secret))
    }


class TestADump:
    def test_holds_no_number_phone_door_note_or_reason(self, secrets: list[str]) -> None:
        assert not legible(secrets)

    def test_holds_no_name_nor_how_it_is_spelt(self, names: list[str]) -> None:
        assert not legible(names)

    def test_tells_how_the_first_character_of_a_name_sounds(self, names: list[str]) -> None:
        keys = set(Resident.objects.values_list("name_key", flat=True))

        assert keys == {"zhang", "si", "ling"}

    def test_would_be_seen_to_hold_one(self, names: list[str]) -> None:
        for table, column, seen in (
            ("residents_resident", "phone = convert_to('13877661234', 'UTF8')", PHONE),
            ("residents_resident", "name = convert_to('欧阳慧娴', 'UTF8')", "慧娴"),
            ("residents_resident", "name_key = 'huixian'", "huixian"),
            ("residents_resident", "name_words = '慧娴'", "慧娴"),
            ("residents_stagedresident", "name = convert_to('慧娴', 'GB18030')", "慧娴"),
            ("residents_handover", "reason = convert_to('慧娴在此', 'UTF8')", "慧娴"),
            ("accounts_exportfile", "content = convert_to('5oWn5ai05Zyo5q2k', 'UTF8')", "慧娴"),
            ("reminders_message", "trouble = '\\u6167\\u5a34'", "慧娴"),
        ):
            before = transaction.savepoint()
            assert not legible([seen])
            with connection.cursor() as cursor:
                cursor.execute(f"UPDATE {table} SET {column}")  # noqa: S608

            assert legible([seen]), f"{table} {column}"
            transaction.savepoint_rollback(before)
