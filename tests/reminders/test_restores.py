"""A backup is restored: what was sent since is not sent again, and nothing before a human says."""

import io
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.auditing import audit, chain
from accounts.auditing.models import AuditEntry
from reminders import health, restores
from reminders.delivery import deliver
from reminders.models import Message, Outbox
from reminders.sweep import sweep
from tests import databases
from tests.factories import NOW, make_grid, make_user
from tests.reminders.cases import make_many
from tests.reminders.servers import Gateway

pytestmark = pytest.mark.django_db(transaction=True)
TODAY = date(2022, 11, 22)
DUE = 17


@pytest.fixture(autouse=True)
def noted(settings: Settings, tmp_path: Path) -> Path:
    path = settings.OUTBOX_NOTE = tmp_path / "outbox"
    settings.AUDIT_ANCHORS = tmp_path / "anchors.txt"
    return path


@pytest.fixture
def restored(gateway: Gateway) -> Iterator[None]:
    """Send 17 SMS after a backup, and restore it."""
    make_many(DUE, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
    sent_before = restores.begin_sending(at=NOW)
    assert sent_before
    with databases.backed_up(f"backup_{connection.settings_dict['NAME']}") as restore:
        sweep(at=NOW)
        assert deliver(channel="sms", at=NOW) == DUE
        restore()
        sweep(at=NOW)
        yield


def after_restore(*given: str) -> str:
    said = io.StringIO()
    call_command("after_restore", *given, stdout=said)
    return said.getvalue()


@pytest.mark.usefixtures("restored")
class TestARestoredDatabase:
    def test_sends_nothing_by_itself(self, gateway: Gateway) -> None:
        assert Message.objects.waiting().filter(channel="sms").count() == DUE
        for _ in range(3):
            assert deliver(channel="sms", at=NOW) == 0

        assert len(gateway.requests) == DUE
        assert Outbox.objects.get().held_at == NOW
        assert health.HELD in health.troubles()

    def test_says_what_waits(self) -> None:
        deliver(channel="sms", at=NOW)

        said = after_restore()
        assert "are held" in said
        assert "    17 sms test_today (its gateway knows keys)" in said

    def test_makes_the_same_keys_so_that_a_gateway_delivers_nothing_twice(
        self, gateway: Gateway
    ) -> None:
        deliver(channel="sms", at=NOW)
        after_restore("--go")

        assert deliver(channel="sms", at=NOW) == DUE
        assert len(gateway.requests) == 2 * DUE
        assert len(gateway.delivered) == DUE
        assert set(gateway.delivered.values()) == {1}

    def test_sends_what_is_new_and_drops_what_a_human_says_was_sent(
        self, gateway: Gateway, settings: Settings
    ) -> None:
        settings.SMS_GATEWAY = gateway.settings(idempotency_header=None)
        deliver(channel="sms", at=NOW)
        after_restore("--go", "--drop", "sms")
        make_many(3, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        assert deliver(channel="sms", at=NOW) == 3
        assert len(gateway.requests) == DUE + 3
        assert AuditEntry.objects.filter(subject="outbox:1", detail__dropped=DUE).exists()

    def test_is_told_on_every_page(self, client: Client) -> None:
        deliver(channel="sms", at=NOW)
        client.force_login(make_user("supervisor"))

        page = client.get(reverse("account_change_password")).content.decode()
        assert "由备份恢复" in page

    def test_is_noticed_again_when_it_is_restored_a_second_time(self, gateway: Gateway) -> None:
        deliver(channel="sms", at=NOW)
        after_restore("--go")
        with databases.backed_up(f"again_{connection.settings_dict['NAME'][-20:]}") as restore:
            assert deliver(channel="sms", at=NOW) == DUE
            restore()
            assert deliver(channel="sms", at=NOW) == 0
        assert len(gateway.requests) == 2 * DUE

    def test_is_noticed_by_a_host_that_sent_before_another_let_it_go_on(self, noted: Path) -> None:
        of_another_host = noted.read_text()
        deliver(channel="sms", at=NOW)
        after_restore("--go")

        noted.write_text(of_another_host)
        assert restores.may_send(at=NOW)
        assert noted.read_text() != of_another_host


class TestAnotherDatabase:
    def test_is_taken_for_a_restored_one(self, noted: Path, gateway: Gateway) -> None:
        noted.write_text(f"{uuid4()} 0")
        make_many(1, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        assert deliver(channel="sms", at=NOW) == 0
        assert gateway.requests == []


class TestANewPortal:
    def test_sends_and_notes_how_far_it_has_come(self, noted: Path, gateway: Gateway) -> None:
        make_many(25, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        assert deliver(channel="sms", at=NOW) == 25
        outbox = Outbox.objects.get()
        assert noted.read_text() == f"{outbox.key} {outbox.number:020}"
        assert outbox.number == 2  # twenty at once

    def test_goes_on_where_the_note_cannot_be_written(
        self, settings: Settings, gateway: Gateway, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        settings.OUTBOX_NOTE = tmp_path / "file" / "outbox"
        make_many(1, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)

        assert deliver(channel="sms", at=NOW) == 1


class TestTheAuditOfARestoredDatabase:
    def test_is_sound_again_once_somebody_says_that_it_was_restored(
        self, settings: Settings
    ) -> None:
        by = make_user("auditor")
        with transaction.atomic():
            make_user("auditor")
            audit.record(by=by, did="read", to="resident:1")
        with databases.backed_up(f"audit_{connection.settings_dict['NAME'][-20:]}") as restore:
            for _ in range(3):
                audit.record(by=by, did="read", to="resident:2")
            restore()
            audit.record(by=by, did="read", to="resident:3")
            lost = chain.verify(noted=[settings.AUDIT_ANCHORS])
            assert {one.what for one in lost.findings} >= {"anchor"}

            after_restore("--go")
            audit.record(by=by, did="read", to="resident:4")
            found = chain.verify(noted=[settings.AUDIT_ANCHORS]).findings
            assert [one for one in found if one.what == "anchor"] == []
            assert "restored" in settings.AUDIT_ANCHORS.read_text()


class TestKeys:
    def test_follow_from_case_kind_day_and_channel(self, gateway: Gateway) -> None:
        (case,) = make_many(1, grid=make_grid(), day_1=TODAY, next_test_on=TODAY)
        sweep(at=NOW)
        first = {(m.kind, m.channel): m.key for m in Message.objects.filter(case=case)}
        Message.objects.all().delete()
        sweep(at=NOW)
        assert {(m.kind, m.channel): m.key for m in Message.objects.filter(case=case)} == first
        assert len(set(first.values())) == len(first)

        Message.objects.all().delete()
        sweep(at=NOW + timedelta(days=1))
        others = set(Message.objects.filter(case=case).values_list("key", flat=True))
        assert not others & {first["test_today", "sms"]}
