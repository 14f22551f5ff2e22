"""Keys: sealed for a row, checked at the start, exchanged while the portal is used."""

import base64
import threading
from itertools import cycle

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import call_command
from django.db import connection
from pytest_django import Settings

from accounts.adapter import MFAAdapter
from accounts.auditing import audit, chain
from accounts.auditing.models import AuditWords
from accounts.keys import keyring
from accounts.keys.keyring import WrongKeysError
from accounts.keys.models import DataKey
from accounts.staff.models import User
from common.encryption import UnreadableError
from quarantine.cases.lifecycle import add_note
from quarantine.models import Event
from residents.register.models import Resident
from residents.register.services import find_by_number, find_visible_by_number, household_at
from residents.search import name_keys
from residents.search.people import search
from tests.factories import NOW, make_case, make_grid, make_resident, make_user

pytestmark = pytest.mark.django_db


def key(letter: str) -> str:
    return base64.urlsafe_b64encode(letter.encode() * 32).decode()


@pytest.fixture(autouse=True)
def first_keys(settings: Settings) -> None:
    settings.FIELD_KEYS = [f"1:{key('a')}"]
    settings.SEARCH_KEYS = ["first search key"]


def second_keys(settings: Settings) -> None:
    """Put new keys in front of the old ones."""
    settings.FIELD_KEYS = [f"2:{key('b')}", f"1:{key('a')}"]
    settings.SEARCH_KEYS = ["second search key", "first search key"]


def named(text: str, by: User) -> list[Resident]:
    """Return who is found by a name."""
    return search(text=text, today=NOW.date(), by=by).page.rows


def only_second_keys(settings: Settings) -> None:
    settings.FIELD_KEYS, settings.SEARCH_KEYS = settings.FIELD_KEYS[:1], settings.SEARCH_KEYS[:1]


class TestASealedValue:
    def test_opens_in_its_own_row_only(self) -> None:
        one, other = make_resident(), make_resident(phone="13900139000")
        swap = (
            "UPDATE residents_resident a SET phone = b.phone FROM residents_resident b"
            " WHERE a.id <> b.id"
        )
        with connection.cursor() as cursor:
            cursor.execute(swap)

        for row in (one, other):
            with pytest.raises(UnreadableError, match=r"residents_resident\.phone"):
                row.refresh_from_db()

    def test_opens_in_its_own_column_only(self) -> None:
        resident = make_resident(emergency_phone="13900139000")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE residents_resident SET phone = emergency_phone")

        with pytest.raises(UnreadableError):
            _ = Resident.objects.get(pk=resident.pk).phone

    def test_that_was_sealed_before_rows_were_bound_is_read_and_bound(self) -> None:
        from common.encryption import encrypt

        make_resident()
        old = encrypt("+8613700137000", context="residents_resident.phone")
        with connection.cursor() as cursor:
            cursor.execute("UPDATE residents_resident SET phone = %s", [old])
        assert Resident.objects.get().phone == "+8613700137000"

        call_command("rotate_keys", verbosity=0)
        assert Resident.objects.get().__dict__["phone"].startswith(b"\0\1")
        assert Resident.objects.get().phone == "+8613700137000"

    def test_is_never_stored_without_its_row(self) -> None:
        resident = make_resident()
        with pytest.raises(TypeError, match="for its row"):
            Resident.objects.filter(pk=resident.pk).update(phone="13800138000")


class TestTheStart:
    def test_remembers_a_key_and_asks_for_it_again(self, settings: Settings) -> None:
        keyring.check()
        assert DataKey.objects.count() == 2
        keyring.check()

        settings.FIELD_KEYS = [f"2:{key('b')}"]
        with pytest.raises(WrongKeysError, match="Key 1 of FIELD_KEYS is missing"):
            keyring.check()

    def test_refuses_another_key_under_the_same_version(self, settings: Settings) -> None:
        keyring.check()
        settings.FIELD_KEYS = [f"1:{key('z')}"]
        with pytest.raises(WrongKeysError, match="Key 1 of FIELD_KEYS is not the one"):
            keyring.check()

    def test_refuses_another_search_key(self, settings: Settings) -> None:
        keyring.check()
        settings.SEARCH_KEYS = ["another"]
        with pytest.raises(WrongKeysError, match="SEARCH_KEY lacks the key"):
            keyring.check()

    @pytest.mark.parametrize("given", ["1", "one:abc", "1:short", "0:" + "A" * 43 + "="])
    def test_refuses_what_is_no_key(self, given: str, settings: Settings) -> None:
        settings.FIELD_KEYS = [given]
        with pytest.raises(WrongKeysError, match="FIELD_KEYS"):
            keyring.check()

    def test_lets_a_migration_go_on_that_was_killed(self) -> None:
        DataKey.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE residents_resident RENAME TO not_made_yet")

        keyring.check()

        assert DataKey.objects.exists()

    def test_tries_the_keys_on_a_database_that_remembers_none(self, settings: Settings) -> None:
        make_resident()
        settings.FIELD_KEYS = [f"1:{key('z')}"]
        with pytest.raises(WrongKeysError, match="does not open what this database holds"):
            keyring.check()
        assert not DataKey.objects.exists()


class TestRotation:
    def test_seals_everything_anew_and_finds_everybody_by_both_keys(
        self, settings: Settings
    ) -> None:
        keyring.check()
        case = make_case()
        resident = case.resident
        by = make_user("supervisor", resident.grid)
        add_note(case=case, text="服药", at=NOW, by=by)
        audit.record(by=by, did="uncovered", to=resident, reason="电话核实")
        chain.seal()
        secret = MFAAdapter().encrypt("TOTPSECRET")
        factor = Authenticator.objects.create(user=by, type="totp", data={"secret": secret})

        second_keys(settings)
        found = find_by_number(document_type=resident.document_type, number=resident.number)
        assert found == resident
        home = resident.household
        assert household_at(building=home.building, unit=home.unit, door=home.door) == home
        assert named("zhangsan", by) == [resident]
        call_command("rotate_keys", verbosity=0)
        only_second_keys(settings)
        keyring.check()

        resident = Resident.objects.get(pk=resident.pk)
        assert (resident.phone, resident.household.door) == ("+8613800138000", home.door)
        assert find_by_number(document_type=resident.document_type, number=resident.number)
        assert named("张三", by) == named("zhangs", by) == [resident]
        assert resident.name_hash == name_keys.columns("张三").hash
        assert Event.objects.get(case=case, kind="note").note == "服药"
        assert audit.words_of(AuditWords.objects.get().entry) == "电话核实"
        factor.refresh_from_db()
        assert MFAAdapter().decrypt(factor.data["secret"]) == "TOTPSECRET"
        assert chain.verify().findings == []
        assert list(DataKey.objects.order_by("kind").values_list("version", flat=True)) == [2, 0]

    def test_goes_on_where_it_was_stopped(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        people = [make_resident() for _ in range(5)]
        monkeypatch.setattr("accounts.keys.rotation.BATCH_SIZE", 2)
        second_keys(settings)
        from accounts.keys import rotation

        real, calls = rotation._reseal_row, []

        def stop_after_three(row: Resident, fields: list[object]) -> int:
            calls.append(row)
            if len(calls) > 3:
                raise KeyboardInterrupt
            return real(row, fields)  # type: ignore[arg-type]

        monkeypatch.setattr(rotation, "_reseal_row", stop_after_three)
        with pytest.raises(KeyboardInterrupt):
            call_command("rotate_keys", verbosity=0)
        monkeypatch.setattr(rotation, "_reseal_row", real)
        call_command("rotate_keys", verbosity=0)
        only_second_keys(settings)

        assert {row.phone for row in Resident.objects.all()} == {people[0].phone}


@pytest.mark.django_db(transaction=True)
class TestRotationBesideTheWork:
    def test_leaves_nothing_unreadable_and_nobody_unfound(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("accounts.keys.rotation.BATCH_SIZE", 3)
        grid = make_grid()
        by = make_user("supervisor", grid)
        people = [make_resident(grid=grid) for _ in range(24)]
        second_keys(settings)
        done, troubles, digits = threading.Event(), [], cycle("一二三四五")

        def work() -> None:
            from residents.register.services import change

            try:
                while not done.is_set():
                    for number, person in enumerate(people):
                        row = Resident.objects.get(pk=person.pk)
                        assert row.phone
                        change(
                            resident=row,
                            version=row.version,
                            phone=f"139{number:08}",
                            name=f"张{next(digits)}",
                            at=NOW,
                            by=by,
                        )
                        assert find_visible_by_number(
                            document_type=row.document_type, number=person.number, by=by
                        )
            except Exception as error:  # noqa: BLE001 - shown below
                troubles.append(error)
            finally:
                connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        try:
            for _ in range(3):
                call_command("rotate_keys", verbosity=0)
        finally:
            done.set()
            worker.join()
        only_second_keys(settings)

        assert troubles == []
        for person in people:
            row = Resident.objects.get(pk=person.pk)
            assert row.phone.startswith("+86")
            assert row.name_words == name_keys.columns(row.name).words
            assert row.number == person.number
            assert find_by_number(document_type=row.document_type, number=row.number) == row
