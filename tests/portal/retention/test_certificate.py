"""A certificate is checked against itself, the audit and the counts, and says what is wrong."""

import copy
import json
import shutil
import subprocess
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.keys import keyring
from accounts.keys.models import DataKey
from accounts.staff.models import Area, User
from portal.keys import new_secrets
from portal.models import Purge
from portal.retention import certificate
from quarantine.models import Case
from tests.factories import make_case, make_place
from tests.portal.retention.outbreaks import close, make_known, purged

pytestmark = pytest.mark.django_db


@pytest.fixture
def purge(grid: Area, first: User, second: User) -> Purge:
    make_known(grid)
    return purged(close(grid, by=first), first, second)


def body_of(made: Any) -> Any:
    return made["body"]


TAMPERED: dict[str, Callable[[Any], Any]] = {
    "a count": lambda made: body_of(made)["tables"][0].update(removed=99),
    "a name": lambda made: body_of(made)["area"].update(name="别处"),
    "who agreed": lambda made: body_of(made)["agreed"].update(employer="别家"),
    "the digest": lambda made: made.update(sha256="0" * 64),
    "the signature": lambda made: made.update(proof=made["proof"][:-2] + "00"),
    "nothing left of it": lambda made: made.clear(),
}


class TestACertificate:
    def test_agrees_with_itself_the_audit_and_the_counts(self, purge: Purge) -> None:
        assert purge.certificate is not None
        assert certificate.check(purge.certificate) == []
        body = purge.certificate["body"]
        assert body["people"] == 1
        assert body["people_kept"] == 0
        assert body["asked"]["role"] == "supervisor"
        assert body["agreed"]["employer"] == "示例疾控"

    @pytest.mark.parametrize("what", TAMPERED)
    def test_is_found_out_where_it_was_altered(self, purge: Purge, what: str) -> None:
        made = copy.deepcopy(purge.certificate)
        TAMPERED[what](made)

        assert certificate.check(made)  # type: ignore[arg-type]

    def test_written_anew_with_a_fitting_digest_is_not_in_the_audit(self, purge: Purge) -> None:
        assert purge.certificate is not None
        body = copy.deepcopy(purge.certificate["body"])
        body["area"]["name"] = "别处"
        found = certificate.check(certificate.signed(body))

        assert len(found) == 1
        assert "审计" in found[0]

    def test_whose_sums_do_not_add_up_says_in_which_table(self, purge: Purge) -> None:
        assert purge.certificate is not None
        body = copy.deepcopy(purge.certificate["body"])
        row = next(each for each in body["tables"] if each["table"] == "quarantine_case")
        row["removed"] -= 1

        assert any(
            "quarantine_case" in each for each in certificate.check(certificate.signed(body))
        )

    def test_notices_rows_that_are_there_again(self, purge: Purge, grid: Area) -> None:
        assert purge.certificate is not None
        case = make_case(grid)
        old = purge.closing.last_case
        with pgtrigger.ignore():
            case.events.all()._raw_delete("default")
            Case.objects.filter(pk=case.pk).update(id=old)

        assert any("quarantine_case" in each for each in certificate.check(purge.certificate))

    def test_counts_nobody_who_has_data_of_a_later_outbreak(
        self,
        purge: Purge,
        grid: Area,
    ) -> None:
        assert purge.certificate is not None
        make_case(grid)

        assert certificate.check(purge.certificate) == []

    def test_cannot_be_changed_in_the_database(self, purge: Purge) -> None:
        with pytest.raises(Exception, match="pgtrigger"):
            Purge.objects.filter(pk=purge.pk).update(sha256="0" * 64)

    def test_says_whether_the_keys_of_its_day_are_still_in_use(
        self, grid: Area, first: User, second: User, settings: Any
    ) -> None:
        keyring.check()
        make_known(grid)
        purge = purged(close(grid, by=first), first, second)
        assert purge.certificate is not None
        assert certificate.keys_still_in_use(purge.certificate) == len(keyring.fingerprints()) == 2
        fresh = new_secrets()
        settings.FIELD_KEYS, settings.SEARCH_KEYS = [fresh["FIELD_KEYS"]], [fresh["SEARCH_KEY"]]
        assert certificate.keys_still_in_use(purge.certificate) == 2  # noted as in use
        DataKey.objects.all().delete()  # as rotate_keys does with those that nothing uses
        assert certificate.keys_still_in_use(purge.certificate) == 0

    @pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
    def test_has_the_digest_that_anybody_computes(self, purge: Purge) -> None:
        assert purge.certificate is not None
        body = subprocess.run(
            ["jq", "-cSj", ".body"],
            input=json.dumps(purge.certificate, ensure_ascii=False).encode(),
            capture_output=True,
            check=True,
        ).stdout
        assert body == certificate.canonical(purge.certificate["body"])


class TestTheCommand:
    def test_agrees_for_a_file_and_for_a_number(self, purge: Purge, tmp_path: Path) -> None:
        file = tmp_path / "certificate.json"
        file.write_text(json.dumps(purge.certificate))
        for named in (str(file), str(purge.key)):
            said = StringIO()
            call_command("check_certificate", named, stdout=said)
            assert "agree" in said.getvalue()

    def test_fails_with_what_is_wrong(self, purge: Purge, tmp_path: Path) -> None:
        file = tmp_path / "certificate.json"
        made = copy.deepcopy(purge.certificate)
        TAMPERED["a count"](made)
        file.write_text(json.dumps(made))
        with pytest.raises(CommandError, match="1 findings"):
            call_command("check_certificate", str(file), stderr=StringIO())
        with pytest.raises(CommandError, match="no such"):
            call_command("check_certificate", "nothing")


class TestThePage:
    def test_is_open_to_everybody_and_names_nobody(self, client: Client, purge: Purge) -> None:
        page = client.get(reverse("purge_certificate", args=[purge.key]))
        text = page.content.decode()

        assert page.status_code == 200
        assert purge.sha256 in text
        assert "示例疾控" in text
        assert "张" not in text
        file = client.get(reverse("purge_certificate_file", args=[purge.key]))
        assert certificate.check(json.loads(file.content)) == []

    def test_is_not_there_before_the_end(self, client: Client, grid: Area) -> None:
        assert client.get(reverse("purge_certificate", args=[grid_key()])).status_code == 404


def grid_key() -> str:
    return "00000000-0000-4000-8000-000000000000"


def test_the_audit_holds_its_digest(purge: Purge) -> None:
    entry = AuditEntry.objects.get(did=certificate.CERTIFIED)
    assert entry.detail["certificate"] == purge.sha256


def test_another_place_is_not_counted(purge: Purge) -> None:
    make_known(make_place("yingkou-2022-11", "210811"))
    assert purge.certificate is not None
    assert certificate.check(purge.certificate) == []
