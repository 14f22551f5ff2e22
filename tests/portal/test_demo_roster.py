from pathlib import Path

import pytest

from accounts.staff.models import Area, Role
from portal.demo import places
from portal.demo.roster import EACH, write_roster
from residents.register.models import Resident
from residents.rosters.models import Roster
from tests.factories import make_user
from tests.residents.rosters import steps


@pytest.mark.django_db
class TestTheRosterOfTheDemo:
    def test_has_every_trouble_and_loses_no_row(self, tmp_path: Path) -> None:
        places.create_areas()
        linhe = Area.objects.get(code=places.BAYANNUR)
        by = make_user(Role.SUPERVISOR, linhe)
        path = tmp_path / "roster.xlsx"
        rows = 2 * EACH
        expected = write_roster(path, rows=rows)

        roster = steps.taken_over(path.read_bytes(), linhe, by)

        assert roster.state == Roster.State.APPLIED
        assert steps.in_balance(roster)
        found = {name: roster.counts[name] for name in expected}
        assert found == dict(expected)
        assert sum(found.values()) == rows
        assert Resident.objects.count() == expected["new"]
        said = roster.findings["sheet"]
        assert (said["hidden_rows"], said["formulas"], said["merged"]) == (2, 2, 3)
        assert roster.findings["others"] == [["填表说明", 3]]

        roster = steps.taken_back(roster, by)

        assert not Resident.objects.exists()
        assert roster.counts["removed"] == expected["new"]
