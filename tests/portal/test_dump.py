"""What somebody finds who has a copy of the database and no key."""

import base64
import io
from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from quarantine.cases import add_note, record
from quarantine.models import Event
from tests.factories import NOW, make_case, make_household, make_need, make_resident, make_user

pytestmark = pytest.mark.django_db

PHONE, EMERGENCY, DOOR = "13877661234", "13877665678", "门牌7788"
NOTE, REASON, WORDS = "对青霉素过敏", "屋顶漏水无法居住", "家属周某来电询问"


@pytest.fixture
def secrets(client: Client) -> list[str]:
    """Let somebody use the portal for a person; return what must not be legible afterwards."""
    resident = make_resident(
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
    client.post(reverse("resident_list"), {"text": PHONE})
    numbers = [resident.number, case.resident.number]
    return [*numbers, PHONE, EMERGENCY, "周某某", DOOR, NOTE, REASON, WORDS]


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
            yield whole[4 if shift else 0 : len(whole) // 4 * 4 - 4]
    yield secret.encode("unicode_escape")


class TestADump:
    def test_holds_no_number_phone_door_note_or_reason(self, secrets: list[str]) -> None:
        dumped = dump()

        assert b"accounts_auditentry" not in dumped
        assert len(dumped) > 10_000
        for secret in secrets:
            found = [one for one in disguises(secret) if len(one) > 5 and one in dumped]
            assert not found, secret

    def test_would_be_seen_to_hold_one(self, secrets: list[str]) -> None:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE residents_resident SET phone = convert_to(%s, 'UTF8')", [PHONE])
        dumped = dump()

        assert any(one in dumped for one in disguises(PHONE))
