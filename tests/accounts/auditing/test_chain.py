"""The chain over the audit, made in the transaction of each act, finds whatever was done to it."""

import io
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from pytest_django import Settings

from accounts.auditing import anchors, audit, chain
from accounts.auditing.models import AuditEntry, AuditLink, AuditPending, AuditWords
from accounts.keys import keyring
from accounts.keys.keyring import WrongKeysError
from accounts.staff.models import User
from accounts.tasks import check_audit, seal_audit
from policy import services as policy
from tests import tampering
from tests.concurrency import at_once
from tests.factories import make_user
from tests.policy.test_drafts import NOTICE
from tests.pooling import pooled
from tests.tries import tried

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def notes(settings: Settings, tmp_path: Path) -> Path:
    path = settings.AUDIT_ANCHORS = tmp_path / "anchors.txt"
    return path


@pytest.fixture
def writer() -> User:
    with transaction.atomic():
        user = make_user("supervisor")
        audit.record(by=None, did="made account", to=user)
    return user


def write(number: int, by: User) -> list[AuditEntry]:
    return [
        audit.record(by=by, did="read", to=f"resident:{uuid4()}", code="call", reason=f"因{n}")
        for n in range(number)
    ]


def found(*noted: Path) -> list[tuple[str, str, str]]:
    return [(one.what, one.table, one.row) for one in chain.verify(noted=noted).findings]


def behind_all_triggers(sql: str, *given: object) -> None:
    with transaction.atomic(), tampering.no_triggers() as cursor:
        cursor.execute(sql, given)


class TestLinking:
    def test_is_done_when_the_act_is(self, writer: User, notes: Path) -> None:
        entries = write(3, writer)

        linked = AuditLink.objects.filter(table="accounts_auditentry").order_by("number")
        assert list(linked.values_list("row", flat=True))[-3:] == [str(e.pk) for e in entries]
        assert not AuditPending.objects.exists()
        assert found(notes) == []

    def test_leaves_no_gap_where_an_act_was_undone(self, writer: User, notes: Path) -> None:
        with tried():
            write(2, writer)
        write(1, writer)

        numbers = list(AuditLink.objects.order_by("number").values_list("number", flat=True))
        assert numbers == list(range(1, len(numbers) + 1))
        assert found(notes) == []

    def test_keeps_nobody_waiting_for_somebody_else_s_work(
        self, writer: User, notes: Path
    ) -> None:
        """Another transaction has written its entry and is not done yet."""
        written, go_on = Event(), Event()

        def work_long() -> None:
            with transaction.atomic():
                audit.record(by=writer, did="read", to="resident:1")
                written.set()
                assert go_on.wait(60)
            connection.close()

        other = Thread(target=work_long)
        other.start()
        assert written.wait(60)
        write(1, writer)  # would wait for ever behind a lock that the other held
        go_on.set()
        other.join()

        assert found(notes) == []

    def test_orders_writers_of_the_same_moment(self, writer: User, notes: Path) -> None:
        at_once(*[lambda: write(5, writer)] * 6)

        assert AuditEntry.objects.count() == 31
        assert found(notes) == []

    def test_comes_after_all_else_that_waits_for_the_commit(self, writer: User) -> None:
        """Two who would wait for each other, were the chain's lock taken before foreign keys."""
        locked, go_on = Event(), Event()

        def change() -> None:
            with transaction.atomic():
                User.objects.select_for_update().get(pk=writer.pk)
                audit.record(by=writer, did="changed account", to=writer)
                locked.set()
                assert go_on.wait(60)
            connection.close()

        other = Thread(target=change)
        other.start()
        assert locked.wait(60)

        def read() -> None:
            with transaction.atomic():
                entry = audit.record(by=writer, did="read", to="resident:1")
                # A row that refers to the locked one, checked when this commits.
                with connection.cursor() as cursor:
                    cursor.execute(
                        "INSERT INTO accounts_export (at, what, filters, format, fields, rows,"
                        " size, sha256, by_id) VALUES (now(), 'cases', '{}', 'csv', '{}', 0, 0,"
                        " '', %s)",
                        [writer.pk],
                    )
                go_on.set()
                assert entry.pk

        read()
        other.join()
        assert AuditLink.objects.filter(table="accounts_export").count() == 1


class TestAnchors:
    def test_hold_each_head_as_it_is_made(self, writer: User, notes: Path) -> None:
        write(3, writer)

        noted = list(anchors.Notes.of(notes))
        assert len(noted) == 4
        assert noted[-1] == anchors.current_head()
        with transaction.atomic():
            write(3, writer)
            assert list(anchors.Notes.of(notes)) == noted
        assert len(list(anchors.Notes.of(notes))) == 5  # one for the transaction

    def test_are_missed_in_the_log_and_stop_nobody(
        self, writer: User, settings: Settings, tmp_path: Path, notes: Path
    ) -> None:
        (tmp_path / "file").touch()
        settings.AUDIT_ANCHORS = tmp_path / "file" / "anchors.txt"
        write(1, writer)

        assert AuditEntry.objects.count() == 2
        assert chain.verify(noted=[notes]).not_anchored == 2

    def test_may_be_kept_in_several_files(self, writer: User, notes: Path) -> None:
        write(2, writer)
        older = notes.rename(notes.with_name("older.txt"))
        write(2, writer)
        report = chain.verify(noted=[older, notes])

        assert report.findings == []
        assert (report.anchored, report.not_anchored) == (5, 0)


class TestBehindAPooler:
    def test_is_read_whole(self, writer: User, notes: Path) -> None:
        write(10, writer)
        with pooled():
            report = chain.verify(noted=[notes])
        assert (report.entries, report.findings) == (11, [])


class TestSealing:
    def test_signs_what_is_new_and_nothing_twice(self, writer: User, notes: Path) -> None:
        write(2, writer)

        assert seal_audit()
        assert not seal_audit()
        write(1, writer)
        assert seal_audit()
        assert found(notes) == []

    def test_tells_a_chain_that_was_linked_anew_where_no_head_was_noted(
        self, writer: User
    ) -> None:
        gone, *_ = write(3, writer)
        seal_audit()
        sealed = AuditEntry.objects.latest("pk")
        behind_all_triggers("DELETE FROM accounts_auditwords WHERE entry_id = %s", gone.pk)
        behind_all_triggers("DELETE FROM accounts_auditentry WHERE id = %s", gone.pk)
        behind_all_triggers(
            'DELETE FROM accounts_auditlink WHERE row = %s AND "table" IN'
            " ('accounts_auditentry', 'accounts_auditwords')",
            str(gone.pk),
        )
        link_all_anew()

        assert found() == [("seal", "accounts_auditentry", str(sealed.pk))]


def link_all_anew() -> None:
    """Compute every link anew, as anybody can."""
    with transaction.atomic(), tampering.no_triggers() as cursor:
        cursor.execute("SELECT * FROM accounts_auditlink ORDER BY number")
        head = b""
        for number, old in enumerate(cursor.fetchall(), start=1):
            head = chain._digest(head, (number, *old[1:]))
            cursor.execute(
                "UPDATE accounts_auditlink SET number = %s, digest = %s WHERE number = %s",
                [number, head, old[0]],
            )


class TestVerifying:
    @pytest.fixture(autouse=True)
    def fresh_library(self) -> Iterator[None]:
        yield
        policy.forget_library()

    def test_finds_a_hundred_tamperings_and_where(self, notes: Path) -> None:
        tampering.fill(NOTICE)

        assert tampering.run(100, 20221122, notes).total() == 200

    def test_sees_at_once_that_the_newest_entry_is_gone(self, writer: User, notes: Path) -> None:
        *_, last = write(2, writer)
        behind_all_triggers("DELETE FROM accounts_auditwords WHERE entry_id = %s", last.pk)
        behind_all_triggers("DELETE FROM accounts_auditentry WHERE id = %s", last.pk)

        assert found(notes) == [
            ("removed", "accounts_auditentry", str(last.pk)),
            ("removed", "accounts_auditwords", str(last.pk)),
        ]

    def test_sees_by_the_notes_that_the_end_was_cut_off(self, writer: User, notes: Path) -> None:
        write(1, writer)
        head = anchors.current_head()
        *_, last = write(1, writer)
        assert head
        behind_all_triggers("DELETE FROM accounts_auditwords WHERE entry_id = %s", last.pk)
        behind_all_triggers("DELETE FROM accounts_auditentry WHERE id = %s", last.pk)
        behind_all_triggers("DELETE FROM accounts_auditlink WHERE number > %s", head.number)

        assert found() == []  # a chain alone cannot see it
        assert [what for what, *_ in found(notes)] == ["anchor"]

    def test_finds_words_that_were_deleted(self, writer: User, notes: Path) -> None:
        entry, *_ = write(2, writer)
        AuditWords.objects.filter(pk=entry.pk).delete()

        assert found(notes) == [("unexplained", "accounts_auditwords", str(entry.pk))]

    def test_takes_words_that_the_portal_deleted_with_a_person_s_data(
        self, writer: User, notes: Path
    ) -> None:
        entries = write(2, writer)

        assert audit.forget_words(entries=entries, by=writer, why="closing:1") == 2
        report = chain.verify(noted=[notes])
        assert (report.findings, report.words_gone) == ([], 2)

    def test_knows_nothing_under_a_wrong_key_and_says_so(
        self, writer: User, settings: Settings
    ) -> None:
        keyring.check()
        write(1, writer)
        settings.FIELD_KEYS = ["1:" + "A" * 43 + "="]

        with pytest.raises(WrongKeysError):
            chain.verify()
        with pytest.raises(CommandError, match=r"was not checked.*Key 1 of FIELD_KEYS") as error:
            call_command("verify_audit", stdout=io.StringIO(), stderr=io.StringIO())
        assert "tampered" not in str(error.value)

    def test_needs_no_key_that_was_taken_out_of_use(
        self, writer: User, settings: Settings, notes: Path
    ) -> None:
        keyring.check()
        write(1, writer)
        settings.FIELD_KEYS = ["2:" + "A" * 43 + "=", *settings.FIELD_KEYS]
        keyring.check()
        call_command("rotate_keys", stdout=io.StringIO())
        settings.FIELD_KEYS = settings.FIELD_KEYS[:1]

        assert found(notes) == []
        behind_all_triggers("UPDATE accounts_auditentry SET did = 'left' WHERE did = 'read'")
        assert [what for what, *_ in found(notes)] == ["altered"]


class TestVerifyingBesideWriters:
    def test_finds_nothing_that_is_only_new(
        self, writer: User, notes: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Another one reads and takes a file while the night compares one table after another."""
        check = chain._check_links

        def work() -> None:
            write(2, writer)
            connection.close()

        def meanwhile(report: chain.Report) -> None:
            other = Thread(target=work)
            other.start()
            other.join()
            check(report)

        write(1, writer)
        monkeypatch.setattr(chain, "_check_links", meanwhile)
        report = chain.verify(noted=[notes])

        assert report.findings == []
        assert (report.entries, AuditEntry.objects.count()) == (2, 4)


class TestTheCommand:
    def test_prints_what_it_checked(self, writer: User) -> None:
        write(2, writer)
        said = io.StringIO()
        call_command("verify_audit", stdout=said)

        assert said.getvalue().startswith(
            "3 entries; 6 links of the chain, the last 0 of them not noted outside; 3 heads noted."
        )

    def test_names_each_row_and_fails(self, writer: User) -> None:
        entry, *_ = write(1, writer)
        behind_all_triggers("UPDATE accounts_auditentry SET did = 'left' WHERE id = %s", entry.pk)
        said = io.StringIO()

        with pytest.raises(CommandError, match="2 findings: the audit was tampered with"):
            call_command("verify_audit", stdout=io.StringIO(), stderr=said)
        assert f"Row {entry.pk} of accounts_auditentry was altered." in said.getvalue()
        assert f"Entry {entry.pk} was not written by the portal." in said.getvalue()

    def test_of_the_night_counts_the_findings_and_goes_on(self, writer: User) -> None:
        write(1, writer)
        assert check_audit() == 0
        behind_all_triggers("DELETE FROM accounts_auditwords")
        assert check_audit() == 1
