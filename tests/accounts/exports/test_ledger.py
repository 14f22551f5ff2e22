"""The ledger of exports: entered with everybody concerned, and compared with the audit."""

from uuid import uuid4

import pgtrigger
import pytest

from accounts.auditing import chain
from accounts.auditing.models import AuditEntry
from accounts.exports import ledger
from accounts.exports.models import Export
from accounts.staff.models import User
from tests.factories import NOW, make_community, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def by() -> User:
    return make_user("supervisor", make_community())


def enter(by: User, people: int = 1) -> Export:
    return ledger.enter(
        number=ledger.next_number(),
        what="residents",
        area=by.areas.get(),
        filters={"gone": "1"},
        kind="csv",
        content=b"x",
        rows=people,
        people=[uuid4() for _each in range(people)],
        at=NOW,
        by=by,
    )


def found() -> list[str]:
    return [one.row for one in chain.verify().findings if one.what == "export"]


class TestTheLedger:
    def test_names_everybody_in_the_audit(self, by: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(ledger, "AT_ONCE", 2)
        export = enter(by, people=5)

        entries = AuditEntry.objects.filter(subject=f"export:{export.pk}").order_by("pk")
        assert [len(entry.shown) for entry in entries] == [2, 2, 1]
        assert entries[0].detail["rows"] == 5

    def test_agrees_with_the_audit(self, by: User) -> None:
        enter(by)
        enter(by)

        assert found() == []

    def test_does_not_when_a_row_was_changed_removed_or_put_in(self, by: User) -> None:
        changed, removed, copied = enter(by), enter(by), enter(by)
        with pgtrigger.ignore():  # as the owner of the database may
            Export.objects.filter(pk=changed.pk).update(sha256="0" * 64)
            Export.objects.filter(pk=removed.pk).delete()
        copied.pk += 100
        copied.save(force_insert=True)

        assert sorted(found()) == sorted(
            str(number) for number in (changed.pk, removed.pk, copied.pk)
        )
