"""The command that computes what people are found by anew."""

from io import StringIO

import pytest
from django.core.management import call_command

from accounts.keys import rotation
from accounts.staff.models import Role
from common.encryption import sealed
from residents.register import services
from residents.register.models import Building, Household, Resident
from residents.search import people
from tests.factories import NOW, make_grid, make_resident, make_user

pytestmark = pytest.mark.django_db

FOUND_BY = {
    Resident: (
        *("name_key", "name_words", "name_hash"),
        *("number_hash", "number_end", "phone_hash", "phone_end"),
    ),
    Household: ("door_hash", "door_key", "unit_key"),
    Building: ("name_key",),
}


def rebuilt() -> str:
    said = StringIO()
    call_command("rebuild_search", stdout=said)
    return said.getvalue()


@pytest.mark.parametrize("name", ["Trần Đức Lương", "Łukasz Øystein", "样𠮷"])
def test_finds_who_was_registered_before_names_were_read_so(name: str) -> None:
    grid = make_grid()
    by = make_user(Role.GRID_STAFF, grid)
    resident = make_resident(grid=grid, by=by, name=name)
    rebuilt()  # the factory names buildings without what they are found by
    now = {m: list(m._base_manager.order_by("pk").values(*FOUND_BY[m])) for m in FOUND_BY}
    Resident.objects.update(name_key="", name_words="", name_hash="")
    Household.objects.update(door_key="", unit_key="")
    Building.objects.update(name_key="")

    said = rebuilt()

    assert "residents_resident: 1 rows" in said
    for model, rows in now.items():
        assert list(model._base_manager.order_by("pk").values(*FOUND_BY[model])) == rows
    answer = people.search(text=name, today=NOW.date(), by=by)
    assert [each.pk for each in answer.page.rows] == [resident.pk]
    assert "residents_resident: 0 rows" in rebuilt()


def test_leaves_alone_what_changes_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    grid = make_grid()
    resident = make_resident(grid=grid, by=make_user(Role.GRID_STAFF, grid), name="样甲")
    Resident.objects.update(name_key="")
    row = Resident.objects.get()
    Resident.objects.filter(pk=row.pk).update(**sealed(row, name="例乙"), name_key="li")
    monkeypatch.setattr(rotation, "_chunks", lambda _model: iter([[row]]))

    assert rotation.rehash_rows(Resident, services.resident_hashes) == 0
    resident.refresh_from_db()
    assert resident.name_key == "li"
