"""The outbox: leasing and marking messages, compared with a bare loop over SKIP LOCKED."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date

from django.conf import settings
from django.db import connection

from bench import Figure, figure
from reminders.delivery import begin, claim, mark_sent
from reminders.models import Message
from reminders.sweep import sweep
from tests.factories import NOW, make_grid
from tests.reminders.cases import make_many

MESSAGES = 2_000
TODAY = date(2022, 11, 22)


def run() -> list[Figure]:
    """Return the figures, measured in a temporary database."""
    settings.SMS_GATEWAY = {"url": "unused", "idempotency_header": "Idempotency-Key"}
    with database():
        _make_cases()
        swept = _rate(2 * MESSAGES, lambda: sweep(at=NOW))
        portal_rate = _rate(MESSAGES, _lease_and_mark)
        _make_cases()
        sweep(at=NOW)
        bare_rate = _rate(MESSAGES, _bare_loop)
    ratio = portal_rate / bare_rate
    return [
        figure(
            "outbox: leased, begun and marked a second",
            portal_rate,
            reference=bare_rate,
            goal="at least 0.5 of bare SKIP LOCKED",
            ok=ratio >= 0.5,
        ),
        figure(
            "sweep: messages written a second", swept, goal="at least 2,000", ok=swept >= 2_000
        ),
    ]


@contextmanager
def database() -> Iterator[None]:
    """Create a temporary database, and drop it afterwards."""
    name = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def _rate(number: int, work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return number / (time.perf_counter() - begun)


def _make_cases() -> None:
    make_many(MESSAGES, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)


def _lease_and_mark() -> None:
    while leases := claim(channel="sms", at=NOW):
        messages = Message.objects.in_bulk([lease.pk for lease in leases])
        for lease in leases:
            begin(lease, messages[lease.pk], on=TODAY)
            mark_sent(lease, at=NOW)


def _bare_loop() -> None:
    """Take one row, mark it, commit: the minimum for a worker, on the same table."""
    connection.ensure_connection()
    bare = connection.connection
    bare.autocommit = False
    with bare.cursor() as cursor:
        while True:
            cursor.execute(
                "SELECT id FROM reminders_message WHERE state = 'due' AND channel = 'sms'"
                " ORDER BY turn LIMIT 1 FOR UPDATE SKIP LOCKED"
            )
            row = cursor.fetchone()
            if row is None:
                break
            cursor.execute(
                "UPDATE reminders_message SET state = 'sent', sent_at = %s WHERE id = %s",
                [NOW, *row],
            )
            bare.commit()
    bare.rollback()
    bare.autocommit = True
