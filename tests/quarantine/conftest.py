"""A community under the Bayannur notice, with its grid worker and supervisor."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from accounts.staff.models import Area, Role, User
from policy.engine.decisions.facts import read_person
from policy.services import in_force, load_documents
from quarantine.arrivals.services import Logged, log_arrival
from residents.register.models import Resident
from tests import factories
from tests.factories import NOW

BAYANNUR = "150802"
LANZHOU = "620100"
SHANGHAI = "310000"


@pytest.fixture
def grid(db: None) -> Area:
    """Return a grid of Bayannur with the notice in force."""
    load_documents()
    community = factories.make_community(BAYANNUR)
    city = Area.objects.get(code="150800")
    factories.put_in_force("bayannur-2022-71", city)
    return factories.make_grid(community)


@pytest.fixture
def staff(grid: Area) -> User:
    """Return the grid worker."""
    return factories.make_user(Role.GRID_STAFF, grid)


@pytest.fixture
def supervisor(grid: Area) -> User:
    """Return the supervisor of the grid's city."""
    return factories.make_user(Role.SUPERVISOR, Area.objects.get(code="150800"))


@pytest.fixture
def as_staff(client: Client, staff: User, today: None) -> Client:
    """Return a client signed in as the grid worker, on the day of the tests."""
    client.force_login(staff)
    return client


@pytest.fixture
def today(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the portal believe that it is NOW."""
    monkeypatch.setattr("common.clock.now", lambda: NOW)
    monkeypatch.setattr("common.clock.today", NOW.date)


@pytest.fixture
def arrive(grid: Area, staff: User) -> Callable[..., Logged]:
    """Return a function that logs an arrival from Lanzhou, `days` ago, of somebody new."""

    def log(*, days: int = 0, resident: Resident | None = None, **facts: Any) -> Logged:
        at = NOW - timedelta(days=days)
        law = in_force(area=grid, at=at)
        assert law
        start = at.date()
        stay = {"area": LANZHOU, "risk": None, "last_day": start.isoformat()}
        person = {"start": start.isoformat(), "arrived_from": LANZHOU, "stays": [stay], **facts}
        return log_arrival(
            key=uuid4(),
            resident=resident or factories.make_resident(grid=grid, by=staff),
            grid=grid,
            facts=read_person(person),
            origin=LANZHOU,
            from_abroad=False,
            law=law,
            at=at,
            by=staff,
        )

    return log
