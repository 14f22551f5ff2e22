"""Writing audit entries, compared with bare inserts; verifying them."""

import threading
import time
from collections.abc import Callable
from uuid import UUID, uuid4

from django.db import connection, transaction

from accounts.auditing import audit, chain
from accounts.auditing.models import AuditEntry
from accounts.staff.models import User
from bench import Figure, figure
from bench.reminders import database

ENTRIES = 4_000
WRITERS = 4
HELD = 0.004  # seconds that a transaction stays open after its entry


def run() -> list[Figure]:
    """Return the figures, measured in a temporary database."""
    with database():
        by = User.objects.create_user(username="bench", password="")
        keys = [uuid4() for _ in range(50)]
        bare_rate = _rate(ENTRIES, lambda: _bare(by))
        portal_rate = _rate(ENTRIES, lambda: _entries(by))
        pages = _rate(ENTRIES // 4, lambda: _pages(by, keys))
        together = _together(lambda: audit.record(by=by, did="read", to="resident:1"))
        locked = _together(lambda: _behind_a_lock(by))
        written = AuditEntry.objects.count()
        checked = _rate(written, chain.verify)
    return [
        figure(
            "audit: entries written a second",
            portal_rate,
            reference=bare_rate,
            goal="at least 0.2 of bare inserts",
            ok=portal_rate >= 0.2 * bare_rate,
        ),
        figure("audit: pages of 50 people a second", pages, goal="at least 200", ok=pages >= 200),
        figure(
            f"audit: {WRITERS} writers at once, a second",
            together,
            reference=locked,
            goal="more than linked at once",
            ok=together > locked,
        ),
        figure(
            "audit: entries checked a second", checked, goal="at least 1,000", ok=checked >= 1_000
        ),
    ]


def _rate(number: int, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return number / (time.perf_counter() - begun)


def _entries(by: User) -> None:
    for _ in range(ENTRIES):
        audit.record(by=by, did="read", to="resident:1", field="phone")


def _bare(by: User) -> None:
    """Insert the same rows without proofs and without models."""
    with connection.cursor() as cursor:
        for _ in range(ENTRIES):
            cursor.execute(
                "INSERT INTO accounts_auditentry"
                " (at, actor, did, subject, shown, reason, detail, proof)"
                " VALUES (now(), %s, 'read', 'resident:1', '{}', '', '{\"field\": \"phone\"}', '')"
                " RETURNING id",
                [str(by.key)],
            )


def _pages(by: User, keys: list[UUID]) -> None:
    for _ in range(ENTRIES // 4):
        audit.showed(by=by, page="bench", people=keys)


def _behind_a_lock(by: User) -> None:
    """Write an entry as if writers linked the chain themselves, behind a lock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(1)")
    audit.record(by=by, did="read", to="resident:1")


def _together(write: Callable[[], object]) -> float:
    """Return the transactions a second of WRITERS threads, each open for HELD after its entry."""
    rounds = 200

    def work() -> None:
        for _ in range(rounds):
            with transaction.atomic():
                write()
                time.sleep(HELD)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    begun = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return WRITERS * rounds / (time.perf_counter() - begun)
