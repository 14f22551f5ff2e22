"""A worker that is killed at a roster, by SIGKILL, in a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.db import connection
from stdnum.iso7064 import mod_11_2

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role
from residents.register.models import Household, Resident
from residents.rosters import dry_run, services
from residents.rosters.models import Roster, RosterRow, StagedResident
from residents.rosters.sheets import columns
from tests.factories import NOW, make_grid, make_user
from tests.residents.rosters import steps

ROOT = Path(__file__).resolve().parents[3]
ROWS = 9_000  # more than one batch of what is read
EACH = 100  # rows, of which one is rejected and one stands twice
WORK = """
import sys, django
django.setup()
from datetime import datetime
from uuid import UUID
from residents.rosters import applying, undoing, working
applying.CHUNK = undoing.CHUNK = 250
working.work(key=UUID(sys.argv[1]), at=datetime.fromisoformat(sys.argv[2]))
"""


def people(grid: Area) -> list[list[str]]:
    rows: list[list[str]] = []
    for number in range(ROWS):
        born = date(1930, 1, 1) + timedelta(days=number * 7_919 % 32_999)
        stem = f"199901{born:%Y%m%d}{number % 1000:03}"
        who = f"样{chr(0x4E00 + number)}", stem + mod_11_2.calc_check_digit(stem)
        phone = "138" if number % EACH == 1 else "13800138000"
        door = f"{number // 3 % 900 + 100}"
        rows.append([*who, phone, grid.name, f"{number // 2_700 + 1}号楼", "", door])
        if number % EACH == 2:
            rows[-1] = rows[-3]
    return rows


def killed(roster: Roster, *, once: Callable[[], bool]) -> bool:
    """Let a worker do the roster's next step, kill it once something is so, say if it was."""
    name = connection.settings_dict["NAME"]
    with subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", WORK, str(roster.key), NOW.isoformat()],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "DATABASE_URL": urlsplit(settings.DATABASE_URL)._replace(path=f"/{name}").geturl(),
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "SEARCH_KEY": ",".join(settings.SEARCH_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
        },
    ) as worker:
        while worker.poll() is None and not once():
            time.sleep(0.005)
        worker.kill()
        return worker.wait() == -signal.SIGKILL


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
class TestAWorkerThatIsKilled:
    def test_leaves_a_roster_that_loses_and_doubles_nobody(self) -> None:
        grid = make_grid()
        community: Area = Area.objects.get_parent(grid)
        by = make_user(Role.SUPERVISOR, community)
        roster = steps.uploaded(steps.csv(*people(grid)), community, by)
        heading = columns.find_heading(dry_run.outline_of(roster)["heads"][0])
        assert heading
        fields = columns.recognise(heading.cells)

        services.choose_columns(
            roster=roster, sheet=0, heading=heading, fields=fields, at=NOW, by=by
        )
        assert killed(roster, once=RosterRow.objects.exists)
        roster = steps.worked_on(roster)

        assert roster.state == Roster.State.CHECKED
        assert steps.in_balance(roster)
        new = ROWS - 2 * ROWS // EACH
        assert (roster.counts["read"], roster.counts["new"]) == (ROWS, new)

        services.take_over(roster=roster, at=NOW, by=by)
        assert killed(roster, once=Resident.objects.exists)
        assert 0 < Resident.objects.count() < new
        roster = steps.worked_on(roster)

        assert (roster.state, roster.done) == (Roster.State.APPLIED, new)
        assert Resident.objects.count() == new
        assert not StagedResident.objects.exists()
        took = AuditEntry.objects.filter(did="imported from a roster")
        shown = [key for entry in took for key in entry.shown]
        assert len(shown) == new
        assert set(shown) == set(Resident.objects.values_list("key", flat=True))
        assert steps.in_balance(roster)

        services.take_back(roster=roster, at=NOW, by=by)
        assert killed(roster, once=lambda: Resident.objects.count() < new)
        assert Resident.objects.exists()
        roster = steps.worked_on(roster)

        assert (roster.state, roster.counts["removed"]) == (Roster.State.UNDONE, new)
        assert not Resident.objects.exists()
        assert not Household.objects.exists()
