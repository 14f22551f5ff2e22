"""The chain over the audit finds whatever was done to it."""

import copy
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from accounts.auditing import anchors, audit, chain
from accounts.auditing.models import AuditEntry, AuditSeal, AuditWords
from accounts.staff.models import User
from accounts.tasks import check_audit, seal_audit
from tests.factories import make_user
from tests.pooling import pooled

pytestmark = pytest.mark.django_db

ROUNDS = 1_000
Rows = tuple[list[AuditEntry], list[AuditSeal]]


@pytest.fixture(autouse=True)
def notes(settings: Settings, tmp_path: Path) -> Path:
    path = settings.AUDIT_ANCHORS = tmp_path / "anchors.txt"
    return path


@pytest.fixture
def writer() -> User:
    return make_user("supervisor")


def write(number: int, by: User) -> None:
    for n in range(number):
        audit.record(by=by, did="read", to=f"resident:{uuid4()}", code="call", field="phone")
        audit.showed(by=by, page="case_list", people=[uuid4() for _ in range(n % 3 + 1)])


def seal_now() -> int:
    return chain.seal(at=timezone.now())


def found(**given: Any) -> list[str]:
    return [one.what for one in chain.verify(at=timezone.now(), **given).findings]


@pytest.fixture
def sealed(writer: User, monkeypatch: pytest.MonkeyPatch) -> Rows:
    """Return 30 entries under six seals, with gaps that were rolled back, as Python holds them."""
    monkeypatch.setattr(chain, "BATCH_SIZE", 5)
    for _ in range(3):
        write(5, writer)
        with connection.cursor() as cursor:
            cursor.execute("SELECT nextval('accounts_auditentry_id_seq')")
        seal_now()
    return list(AuditEntry.objects.order_by("pk")), list(AuditSeal.objects.order_by("number"))


@pytest.mark.django_db(transaction=True)
class TestBehindAPooler:
    def test_is_read_whole(self, writer: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(chain, "BATCH_SIZE", 5)
        write(10, writer)
        while seal_now():
            pass

        with pooled():
            report = chain.verify(at=timezone.now())
        assert (report.entries, report.findings) == (20, [])


class TestSealing:
    def test_links_every_entry_once(self, writer: User) -> None:
        write(5, writer)

        assert seal_audit() == 10
        assert seal_audit() == 0
        assert found() == []

    def test_takes_what_was_there_before_the_chain_and_nothing_unproven_after(
        self, writer: User
    ) -> None:
        AuditEntry.objects.create(did="read", subject="resident:1", detail={"old": 1})
        AuditEntry.objects.create(did="read", subject="resident:2", reason="")
        assert seal_now() == 2
        write(1, writer)
        assert found() == []

        AuditEntry.objects.create(did="read", subject="resident:3")
        assert found() == ["forged"]

    def test_tells_an_id_that_was_rolled_back_from_an_entry_that_was_removed(
        self, sealed: Rows
    ) -> None:
        report = chain.verify(at=timezone.now())

        assert report.findings == []
        assert report.gaps - (sealed[0][0].pk - 1) == 3

    def test_does_not_depend_on_the_key_of_the_day(
        self, sealed: Rows, settings: Settings, writer: User
    ) -> None:
        old = settings.FIELD_KEYS
        settings.FIELD_KEYS = ["2:" + "A" * 43 + "=", *old]
        write(2, writer)
        seal_now()
        settings.FIELD_KEYS = settings.FIELD_KEYS[:1]

        assert found() == []
        settings.FIELD_KEYS = old
        assert "proof" in found()


@pytest.mark.django_db(transaction=True)
class TestSealingBesideWriters:
    def test_waits_for_who_may_still_fill_a_gap_and_keeps_nobody_waiting(
        self, writer: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(chain, "WAIT_SECONDS", 0.05)
        other = connection.copy()
        try:
            other.set_autocommit(False)
            with other.cursor() as cursor:
                cursor.execute(
                    "INSERT INTO accounts_auditentry"
                    " (did, subject, shown, reason, detail, proof)"
                    " VALUES ('read', 'resident:1', '{}', '', '{}', '')"
                )
            write(1, writer)

            assert seal_now() == 0  # the entry of the other may still come, below these
            other.commit()
            assert seal_now() == 3
        finally:
            other.close()
        assert AuditSeal.objects.get().entries == sorted(AuditSeal.objects.get().entries)


def another(value: Any, chance: random.Random) -> Any:
    """Return something else of the same kind."""
    if isinstance(value, datetime):
        return value + timedelta(microseconds=chance.choice((-1, 1, 10**9)))
    if isinstance(value, bytes | memoryview):
        changed = bytearray(value or b"\1")
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
        return bytes(changed)
    if isinstance(value, list):
        return value[1:] if value and chance.random() < 0.5 else [*value, uuid4()]
    if isinstance(value, dict):
        return {**value, "field": "number"}
    if isinstance(value, str):
        return value[:-1] or "x"
    return uuid4()


def alter(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    entry = chance.choice(rows)
    column = chance.choice(["at", "actor", "did", "subject", "shown", "reason", "detail", "proof"])
    setattr(entry, column, another(getattr(entry, column), chance))


def remove(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    start = chance.randrange(len(rows))
    del rows[start : start + chance.randint(1, 5)]


def put_in(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    ids = {entry.pk for entry in rows}
    free = [pk for pk in range(1, max(ids) + 9) if pk not in ids]
    copied = copy.copy(chance.choice(rows))
    copied.pk = chance.choice(free)
    rows.append(copied)


def forge(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    """Add an entry at the end, as anybody may who can write to the table."""
    copied = copy.copy(chance.choice(rows))
    copied.pk, copied.at = rows[-1].pk + 1, timezone.now()
    rows.append(copied)


def swap(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    one, other = chance.sample(rows, 2)
    one.pk, other.pk = other.pk, one.pk


def cut(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    """Take the end away, with its seals."""
    keep = chance.randrange(len(seals))
    del seals[keep:]
    through = seals[-1].through if seals else 0
    rows[:] = [entry for entry in rows if entry.pk <= through]


def alter_seal(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    seal = chance.choice(seals)
    column = chance.choice(["leaves", "digest", "proof", "at", "through", "after"])
    value = getattr(seal, column)
    setattr(seal, column, value + 1 if isinstance(value, int) else another(value, chance))


def remove_seal(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    del seals[chance.randrange(len(seals))]


def rewrite(rows: list[AuditEntry], seals: list[AuditSeal], chance: random.Random) -> None:
    """Alter an entry and compute every seal anew, as anybody can who lacks the key."""
    alter(rows, seals, chance)
    before: AuditSeal | None = None
    for n, old in enumerate(seals):
        inside = [entry for entry in rows if old.after < entry.pk <= old.through]
        seals[n] = chain.link(before, inside, through=old.through, at=old.at)
        seals[n].proof = old.proof
        before = seals[n]


TAMPERINGS: list[Callable[[list[AuditEntry], list[AuditSeal], random.Random], None]] = [
    *(alter, remove, put_in, forge, swap, cut, alter_seal, remove_seal, rewrite)
]


class TestVerifying:
    def test_finds_a_thousand_tamperings(self, sealed: Rows) -> None:
        chance = random.Random(20221122)  # noqa: S311 - the same tamperings each time
        given, at = sealed[0][-1].pk + 1, timezone.now()
        head = [(sealed[1][-1].number, bytes(sealed[1][-1].digest).hex())]

        def check(rows: list[AuditEntry], seals: list[AuditSeal]) -> chain.Report:
            ordered = sorted(rows, key=lambda entry: entry.pk)
            return chain.check(ordered, seals, at=at, last_id=given, anchors=head)

        assert check(*sealed).findings == []
        missed = []
        for n in range(ROUNDS):
            rows, seals = [copy.copy(row) for row in sealed[0]], [copy.copy(s) for s in sealed[1]]
            tamper = TAMPERINGS[n % len(TAMPERINGS)]
            tamper(rows, seals, chance)
            if not check(rows, seals).findings:
                missed.append((n, tamper.__name__))
        assert missed == []

    @pytest.mark.parametrize(
        ("sql", "what"),
        [
            ("UPDATE accounts_auditentry SET did = 'left' WHERE id = {pk}", "altered"),
            ("DELETE FROM accounts_auditentry WHERE id = {pk}", "removed"),
            (
                "UPDATE accounts_auditentry SET at = at + interval '1 microsecond'"
                " WHERE id = {pk}",
                "altered",
            ),
            (
                "INSERT INTO accounts_auditentry (at, did, subject, shown, reason, detail, proof)"
                " SELECT now(), did, subject, shown, reason, detail, proof"
                " FROM accounts_auditentry WHERE id = {pk}",
                "forged",
            ),
            ("UPDATE accounts_auditseal SET at = now() WHERE number = 1", "seal"),
        ],
    )
    def test_finds_what_a_superuser_did(self, writer: User, sql: str, what: str) -> None:
        write(3, writer)
        seal_now()
        pk = AuditEntry.objects.order_by("pk")[1].pk
        with connection.cursor() as cursor:
            for table in ("accounts_auditentry", "accounts_auditseal"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(sql.format(pk=pk))

        assert what in found()

    def test_sees_by_its_notes_that_the_end_is_gone(self, writer: User, notes: Path) -> None:
        write(3, writer)
        assert check_audit() == 0
        write(3, writer)
        assert check_audit() == 0
        assert len(anchors.read(notes)) == 2
        with connection.cursor() as cursor:
            for table in ("accounts_auditentry", "accounts_auditseal"):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            last = AuditSeal.objects.latest("number")
            cursor.execute("DELETE FROM accounts_auditseal WHERE number = %s", [last.number])
            cursor.execute("DELETE FROM accounts_auditentry WHERE id > %s", [last.after])

        assert found() == []  # a chain alone cannot see it
        with pytest.raises(CommandError, match="tampered with"):
            call_command("verify_audit")

    def test_says_which_entry_waits_for_its_seal_too_long(self, writer: User) -> None:
        write(1, writer)
        report = chain.verify(at=timezone.now() + timedelta(minutes=11))

        assert [one.what for one in report.findings] == ["late", "late"]
        assert all(str(one).endswith("is beat running?") for one in report.findings)

    def test_finds_words_that_were_exchanged(self, writer: User) -> None:
        for words in ("one reason", "another reason"):
            audit.record(by=writer, did="uncovered", to=writer, reason=words)
        one, other = AuditWords.objects.order_by("pk")
        assert found() == []

        AuditWords.objects.filter(pk=one.pk).update(text=chain_bytes(other))
        assert found() == ["words"]

    def test_counts_words_that_were_purged(self, writer: User) -> None:
        audit.record(by=writer, did="uncovered", to=writer, reason="somebody's name")
        AuditWords.objects.all().delete()
        report = chain.verify(at=timezone.now())

        assert (report.findings, report.words_gone) == ([], 1)


def chain_bytes(words: AuditWords) -> Any:
    """Return the sealed text of a row as the database holds it."""
    return AuditWords.objects.values_list("text", flat=True).get(pk=words.pk)
