"""The demo community."""

import stat
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django.fixtures import Settings
from stdnum.iso7064 import mod_11_2

from accounts.auditing import chain
from accounts.staff.models import Area, Role, User
from common.paging import SIZE
from portal import demo
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.lists.worklist import Work, WorkKind, worklist
from quarantine.models import Arrival, Case
from reminders.models import Message
from residents.register.models import Resident
from tests.portal.conftest import AT

pytestmark = pytest.mark.django_db


class TestSeedCommand:
    def test_leaves_a_database_alone_that_holds_something_else(self) -> None:
        User.objects.create_user("somebody")

        with pytest.raises(CommandError, match="not empty"):
            call_command("seed_demo")
        assert not Area.objects.exists()

    def test_is_refused_outside_the_demo(self, settings: Settings) -> None:
        settings.DEMO = False

        with pytest.raises(CommandError):
            call_command("seed_demo")
        assert not User.objects.exists()


class TestSeed:
    def test_makes_two_neighbourhoods_of_clearly_invented_people(self, seeded: Path) -> None:
        for community in Area.objects.filter(level=Area.Level.COMMUNITY):
            people = Resident.objects.filter(grid__path__startswith=community.path)
            assert 400 <= people.count() <= 600
        assert Area.objects.filter(level=Area.Level.COMMUNITY).count() == 4
        for resident in Resident.objects.all():
            assert resident.name[0] in "示例样范演"
            assert resident.number.startswith("199901")
            assert mod_11_2.is_valid(resident.number)
            assert resident.phone[:6] in {"", "+86100"}

    def test_shows_each_supervisor_their_county_only(self, seeded: Path) -> None:
        def seen(username: str) -> set[int]:
            user = User.objects.get(username=username)
            return set(Resident.objects.visible_to(user).values_list("pk", flat=True))

        bayannur, cangshan = seen("supervisor.bayannur"), seen("supervisor.cangshan")
        assert bayannur
        assert cangshan
        assert not bayannur & cangshan
        assert seen("supervisor") == bayannur | cangshan

    def test_gives_every_role_a_sign_in_that_works_and_only_its_owner_can_read(
        self, seeded: Path
    ) -> None:
        assert {role for role, _, _ in demo.sign_ins()} == set(Role.values)
        _, username, password = demo.sign_ins()[0]
        assert authenticate(username=username, password=password)
        file = seeded / "demo-sign-ins.json"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600

    def test_changes_nothing_the_second_time(self, seeded: Path) -> None:
        before = (demo.sign_ins(), Resident.objects.count(), User.objects.count())

        assert not demo.seed(at=AT)

        assert (demo.sign_ins(), Resident.objects.count(), User.objects.count()) == before

    def test_makes_new_passwords_where_their_file_is_missing(
        self, seeded: Path, settings: Settings, tmp_path: Path
    ) -> None:
        settings.DATA_DIR = tmp_path

        demo.seed(at=AT)

        _, username, password = demo.sign_ins()[0]
        assert authenticate(username=username, password=password)

    def test_leaves_a_sound_audit(self, seeded: Path) -> None:
        report = chain.verify()

        assert report.findings == []
        assert report.entries > 1_000

    def test_tells_a_history_that_the_law_explains(self, seeded: Path) -> None:
        assert Arrival.objects.count() > 100
        assert {"released", "completed", "referred", ""} <= set(
            Case.objects.values_list("closed_as", flat=True)
        )
        assert set(Case.objects.values_list("law", flat=True)) == {
            "bayannur-2022-71",
            "cangshan-2022-324",
        }
        assert unexplained_cases() == []


@pytest.mark.usefixtures("seeded")
class TestDemoDay:
    def test_brings_the_reminders_of_the_day(self, client: Client) -> None:
        client.force_login(User.objects.get(username="grid.bayannur"))

        with time_machine.travel(AT, tick=False):
            client.post("/demo/day/", {"day": str(AT.date() + timedelta(days=1))})

        assert Message.objects.filter(
            kind=Message.Kind.TEST_TODAY, day=AT.date() + timedelta(days=1)
        ).exists()


class TestTheCountsOfToday:
    @pytest.mark.parametrize("later", [0, 1, 2, 4, 8])
    def test_are_the_same_by_the_cards_of_a_page_and_by_the_database(
        self, seeded: Path, later: int
    ) -> None:
        today, seen = AT.date() + timedelta(days=later), set[WorkKind]()
        for grid in Area.objects.filter(level=Area.Level.GRID):
            cases = Case.objects.filter(grid=grid)
            asked = Work(cases=cases, today=today).counts()
            shown = worklist(cases=cases, today=today)

            assert asked.together <= SIZE
            assert shown.next is None
            assert shown.counts == asked
            seen |= {kind for kind, count in asked.of.items() if count}
        assert seen >= (
            {WorkKind.OVERDUE, WorkKind.RELEASE} if later else {WorkKind.TEST, WorkKind.CHECK}
        )
