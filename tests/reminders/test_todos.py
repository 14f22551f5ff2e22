"""Messages about what is to be done."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area, Role
from quarantine.acts.daily_checks import daily_check
from quarantine.corrections.withdrawals import take_back_event
from quarantine.models import Event
from quarantine.todo import services
from quarantine.todo.escalation import escalate_overdue
from quarantine.todo.models import Todo
from reminders import kinds
from reminders.models import Message
from reminders.sweep import sweep
from tests.factories import NOW, make_case, make_place, make_user

pytestmark = pytest.mark.django_db
Kind = Message.Kind
LATE = NOW + timedelta(days=3)


@pytest.fixture
def grid() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def check(grid: Area) -> Event:
    """Return the check of somebody with a fever, which a supervisor is to look at."""
    return daily_check(
        case=make_case(grid, on=NOW.date(), at=NOW),
        temperature=Decimal("38.6"),
        symptoms=[],
        note="",
        at=NOW,
        by=make_user(Role.GRID_STAFF, grid),
    )


def told() -> list[str]:
    about = Message.objects.filter(todo__isnull=False)
    return sorted(about.values_list("kind", flat=True))


class TestSweep:
    def test_tells_at_once_and_once(self, check: Event) -> None:
        for _ in range(2):
            sweep(at=NOW)

        assert told() == [Kind.TODO]

    def test_tells_once_more_when_it_passes_to_the_supervisor(self, check: Event) -> None:
        sweep(at=NOW)
        escalate_overdue(at=LATE)

        for _ in range(2):
            sweep(at=LATE)

        assert told() == [Kind.TODO, Kind.TODO_LATE]

    def test_catches_up_after_an_outage(self, check: Event) -> None:
        escalate_overdue(at=LATE)

        sweep(at=LATE)

        assert told() == [Kind.TODO, Kind.TODO_LATE]

    def test_says_nothing_of_what_was_done_or_taken_back(self, check: Event, grid: Area) -> None:
        take_back_event(event=check, at=NOW, by=make_user(Role.GRID_STAFF, grid))

        sweep(at=NOW)

        assert told() == []

    def test_holds_until_it_is_done(self, check: Event, grid: Area) -> None:
        sweep(at=NOW)
        message = Message.objects.filter(kind=Kind.TODO)
        assert message.filter(kinds.still_holds(NOW.date())).exists()

        services.look_at(
            todo=Todo.objects.get(),
            what_was_done="已联系诊所",
            at=NOW,
            by=make_user(Role.SUPERVISOR, grid),
        )

        assert not message.filter(kinds.still_holds(NOW.date())).exists()


class TestInbox:
    @pytest.mark.parametrize("role", [Role.GRID_STAFF, Role.SUPERVISOR])
    def test_leads_to_what_is_to_be_done(
        self, client: Client, check: Event, grid: Area, role: Role, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        sweep(at=NOW)
        client.force_login(make_user(role, grid))
        message = Message.objects.get(kind=Kind.TODO)

        assert "症状或发热" in client.get(reverse("inbox")).content.decode()
        answer = client.post(reverse("message_read", args=[message.key]))

        assert answer.headers["Location"] == reverse("todo_detail", args=[Todo.objects.get().key])

    def test_of_elsewhere_stays_empty(
        self, client: Client, check: Event, monkeypatch: Any
    ) -> None:
        monkeypatch.setattr("django.utils.timezone.now", lambda: NOW)
        sweep(at=NOW)
        client.force_login(make_user(Role.GRID_STAFF))

        assert "症状或发热" not in client.get(reverse("inbox")).content.decode()
