"""People of whom the portal knows something in every table, and an outbreak that is over."""

from datetime import datetime, timedelta
from uuid import uuid4

from accounts.exports import requests
from accounts.exports.models import ExportFile
from accounts.staff.models import Area, Role, User
from portal.models import Purge
from portal.retention import closing, purging
from quarantine.cases.lifecycle import add_note, end
from quarantine.models import Case
from quarantine.todo.models import Todo
from quarantine.todo.services import open_todo
from reminders.models import Change, Message, Reading
from residents.closings.models import Closing
from residents.duplicates.models import Merge, NotSame
from residents.keypeople.models import Contact
from residents.openings.models import Opening
from residents.register import services as residents
from residents.register.models import Resident
from residents.relocation import handovers, moves
from residents.rosters.models import Roster, RosterFile, RosterRow, StagedResident
from residents.whitelist.models import DutyEntry, GateCode
from tests.factories import (
    NOW,
    make_case,
    make_dose,
    make_file,
    make_grid,
    make_household,
    make_need,
    make_resident,
    make_result,
    make_user,
    make_worker,
    moment,
)

CLOSED = NOW + timedelta(days=1)
REASON = "末例解除，疫情结束"


def community_of(grid: Area) -> Area:
    area: Area = Area.objects.get(path=grid.path[: -Area.steplen])
    return area


def make_known(grid: Area, *, by: User | None = None) -> Resident:
    """Make somebody with a row in every table that the inventory names, and nothing open."""
    by = by or make_user(Role.GRID_STAFF, grid)
    resident = make_resident(grid=grid, phone="13877770001")
    case = make_case(grid, resident=resident)
    case = Case.objects.select_related("grid", "plan", "resident").get(pk=case.pk)
    make_result(case, NOW.date())
    _make_register(resident, by)
    _make_history(resident, case, by)
    end(case=case, closed_as=Case.ClosedAs.RELEASED, at=NOW)
    return resident


def _make_register(resident: Resident, by: User) -> None:
    make_file(resident, living_alone=True)
    make_dose(resident)
    need = make_need(resident, words="降压药")
    Contact.objects.create(key=uuid4(), need=need, how=Contact.How.CALL, at=NOW, by=by)
    worker = make_worker(resident)
    DutyEntry.objects.create(
        worker=worker, duty="protection", day=NOW.date(), state="well", at=NOW, by=by
    )
    GateCode.objects.create(worker=worker, token_hash=uuid4().hex, made_at=NOW, made_by=by)
    home = make_household(grid=resident.grid)
    resident.refresh_from_db()
    moves.move(
        resident=resident,
        household=home,
        version=resident.version,
        day=NOW.date(),
        at=NOW,
        by=by,
    )
    other = make_resident(grid=resident.grid, number=None)
    merged = make_resident(grid=resident.grid)
    NotSame.objects.create(
        **dict(zip(("first", "second"), sorted((resident, other), key=_pk), strict=True)),
        at=NOW,
        by=by,
    )
    Merge.objects.create(kept=resident, merged=merged, before="{}", at=NOW, by=by)
    Resident.objects.filter(pk=merged.pk).update(gone_as="merged", gone_on=NOW.date())


def _pk(resident: Resident) -> int:
    return resident.pk


def _make_history(resident: Resident, case: Case, by: User) -> None:
    resident.refresh_from_db()
    add_note(case=case, text="本人说已上班", at=NOW, by=by)
    event = case.events.last()
    assert event is not None
    open_todo(kind=Todo.Kind.SYMPTOMS, resident=resident, cause=event, case=case, at=NOW, by=by)
    Todo.objects.filter(resident=resident).update(done_at=NOW, done_by=by, done_event=event)
    Change.objects.create(
        case=case,
        grid=case.grid,
        at=NOW,
        law=case.law,
        before_plan=case.plan,
        after_plan=case.plan,
    )
    message = Message.objects.create(
        case=case,
        grid=case.grid,
        kind="test_today",
        channel="in_app",
        state="sent",
        day=NOW.date(),
        created_at=NOW,
        not_before=NOW,
        sent_at=NOW,
    )
    Reading.objects.create(message=message, user=by, at=NOW)
    Opening.objects.create(
        resident=resident, by=make_user(), reason="就诊", at=NOW, until=NOW + timedelta(hours=1)
    )
    there = make_grid()
    handover = handovers.offer(
        resident=resident, to=community_of(there), day=NOW.date(), at=NOW, by=by
    )
    handovers.refuse(
        handover=handover,
        reason="未到",
        at=NOW,
        by=make_user(Role.SUPERVISOR, community_of(there)),
    )
    roster = Roster.objects.create(
        area=community_of(resident.grid),
        sender="示例物业",
        file_name="名单.xlsx",
        state=Roster.State.APPLIED,
        uploaded_by=by,
        uploaded_at=NOW,
        touched_at=NOW,
    )
    RosterFile.objects.create(roster=roster, content="eA==")
    RosterRow.objects.create(roster=roster, number=1, outcome="new", resident=resident.key)
    StagedResident.objects.create(
        roster=roster,
        row=1,
        resident=resident.key,
        name=bytes(Resident._meta.get_field("name").seal("张三", resident.key)),
        name_key="zhang",
        name_hash="",
        document_type="none",
        number=b"",
        number_hash="",
        number_end="",
    )
    residents.uncover(resident=resident, field="phone", reason="核对新号码", by=by)
    requests.ask(
        what="residents",
        area=resident.grid,
        filters={},
        fields=["phone"],
        kind="xlsx",
        purpose="medical",
        reason="转诊用",
        at=NOW,
        by=by,
    )
    ExportFile.objects.create(
        by=by, what="residents", area=resident.grid, format="xlsx", language="en", asked_at=NOW
    )


def close(grid: Area, *, by: User | None = None) -> Closing:
    area = community_of(grid)
    return closing.close(
        area=area, reason=REASON, at=CLOSED, by=by or make_user(Role.SUPERVISOR, area)
    )


def due(closing: Closing) -> datetime:
    return moment(closing.purge_from)


def agreed(closing: Closing, first: User, second: User) -> Purge:
    purge = purging.ask(closing=closing, at=due(closing), by=first)
    purging.approve(purge=purge, at=due(closing), by=second)
    return purge


def purged(closing: Closing, first: User, second: User) -> Purge:
    purge = agreed(closing, first, second)
    assert purging.work(key=purge.key, at=due(closing))
    return Purge.objects.get(pk=purge.pk)
