"""The role that serves may add to the audit and read it, and the database refuses it all else."""

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.conf import settings
from django.db import ProgrammingError, connection, transaction

from accounts.auditing import audit, chain, witness
from accounts.auditing.models import AuditEntry, AuditLink
from accounts.staff.models import User
from residents.register import services as residents
from tests.factories import NOW, make_grid, make_resident, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> User:
    return make_user("grid_staff", make_grid())


@pytest.fixture
def serving(staff: User) -> Iterator[None]:
    """Be the role that serves, with the rights that migrate leaves it."""
    audit.record(by=staff, did="read", to="resident:1", reason="电话核实")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")
        role = f"serves_{connection.settings_dict['NAME']}"  # roles are those of all databases
        witness.install(role=role, password="secret")
        cursor.execute(f"SET ROLE {role}")
    yield
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE")


def refused(sql: str) -> str:
    with (
        pytest.raises(ProgrammingError) as error,
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(sql)
    return str(error.value)


AUDIT = ("accounts_auditentry", "accounts_auditwords", "accounts_auditlink", "accounts_export")


@pytest.mark.usefixtures("serving")
class TestTheRoleThatServes:
    @pytest.mark.parametrize("table", AUDIT)
    @pytest.mark.parametrize(
        "sql",
        [
            "DELETE FROM {}",
            "TRUNCATE {} CASCADE",
            "DROP TABLE {} CASCADE",
            "UPDATE {} SET {} = {}",
        ],
    )
    def test_may_change_and_remove_nothing_of_the_audit(self, table: str, sql: str) -> None:
        column = "number" if table == "accounts_auditlink" else "id"
        column = "entry_id" if table == "accounts_auditwords" else column
        sentence = refused(sql.format(table, column, column))
        assert sentence.startswith(("permission denied for", "must be owner of"))

    @pytest.mark.parametrize(
        "sql",
        [
            "ALTER TABLE accounts_user DISABLE TRIGGER audit_witness",
            "ALTER TABLE accounts_auditentry DISABLE TRIGGER ALL",
            "DROP TRIGGER audit_witness ON accounts_exportrequest",
            "DROP FUNCTION audit_link() CASCADE",
            "SET session_replication_role = replica",
            "INSERT INTO accounts_auditlink VALUES (9, 'I', 'x', '1', NULL, 1, '')",
            "INSERT INTO accounts_auditpending (op, \"table\", row, tx) VALUES ('I', 'x', '1', 1)",
            "DELETE FROM accounts_exportrequest",
            "DELETE FROM policy_activation",
            "DELETE FROM accounts_datakey",
            "DELETE FROM portal_purge",
            "DELETE FROM portal_retentionterm",
            "DELETE FROM residents_closing",
            "SELECT setval('accounts_auditentry_id_seq', 1)",
            "CREATE TABLE public.accounts_other (id int)",
            "CREATE OR REPLACE FUNCTION audit_witness() RETURNS trigger LANGUAGE sql AS ''",
        ],
    )
    def test_may_neither_blind_the_witness_nor_speak_for_it(self, sql: str) -> None:
        assert refused(sql)

    def test_does_its_work_and_is_witnessed(self, staff: User) -> None:
        grid = staff.areas.get()
        resident = make_resident(grid=grid, by=staff)
        residents.uncover(resident=resident, field="phone", reason="核实其昨日行程", by=staff)

        report = chain.verify()
        assert report.findings == []
        assert report.entries == AuditEntry.objects.count() > 2
        assert AuditLink.objects.filter(table="accounts_auditentry").count() == report.entries


class TestTheWitness:
    def test_is_over_every_table_that_the_audit_rests_on(self) -> None:
        tables = [each.table for each in witness.witnessed()]

        assert len(tables) == len(settings.WITNESSED)
        assert all(witness.is_watched(table) for table in tables)

    def test_is_over_who_ended_the_data_of_an_outbreak(self) -> None:
        tables = {each.table for each in witness.witnessed()}

        assert {"residents_closing", "portal_purge", "portal_retentionterm"} <= tables

    def test_leaves_out_only_columns_that_there_are(self) -> None:
        for label, left_out in settings.WITNESSED.items():
            columns = {field.column for field in apps.get_model(label)._meta.concrete_fields}
            assert set(left_out) <= columns

    def test_links_what_was_there_before_it(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DROP TRIGGER audit_witness ON accounts_user")
        user = make_user("auditor")
        assert "inserted" in {one.what for one in chain.verify().findings}

        witness.install()
        assert chain.verify().findings == []
        assert AuditLink.objects.get(table="accounts_user", row=str(user.pk)).tx == 0

    def test_sees_no_change_in_what_it_leaves_out(self, staff: User) -> None:
        audit.record(by=staff, did="read", to="resident:1")
        chain.verify()
        before = AuditLink.objects.count()
        User.objects.filter(pk=staff.pk).update(last_login=NOW, password="x")

        assert chain.verify().links == before
