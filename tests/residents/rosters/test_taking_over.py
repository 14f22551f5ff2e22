import io
import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import connection
from python_calamine import CalamineWorkbook

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role
from common.workbooks import write_workbook
from residents.register import services as register
from residents.register.models import Building, Household, Resident
from residents.rosters import applying, dry_run, mending, services, words, working
from residents.rosters.models import Roster, RosterFile, RosterRow, StagedResident
from residents.rosters.sheets import columns
from residents.search.people import search
from tests.factories import (
    NOW,
    id_number,
    make_case,
    make_grid,
    make_household,
    make_place,
    make_resident,
    make_user,
    named,
)
from tests.residents.rosters import steps

pytestmark = pytest.mark.django_db

NEW, UPDATE, UNCHANGED, DUPLICATE, REJECTED, _REFERRED = RosterRow.Outcome.values


@pytest.fixture
def grid() -> Area:
    return make_grid()


@pytest.fixture
def community(grid: Area) -> Area:
    above: Area = Area.objects.get_parent(grid)
    return above


def row(at: Area, /, **given: str) -> list[str]:
    """Return a row of HEADINGS."""
    whole = {
        "name": "样甲",
        "number": id_number(),
        "phone": "13800138000",
        "grid": at.name,
        "building": "3号楼",
        "unit": "2单元",
        "door": "502",
        **given,
    }
    return list(whole.values())


def said(roster: Roster, number: int) -> str:
    note = json.loads(RosterRow.objects.get(roster=roster, number=number).note)
    return " ".join(words.problems(note))


class TestADryRun:
    def test_tells_what_would_become_of_each_row(self, grid: Area, community: Area) -> None:
        number, other = id_number(date(1980, 1, 2)), id_number(date(1981, 1, 2))
        home = make_household(
            building=Building.objects.create(grid=grid, name="3号楼", name_key="3"),
            unit="2单元",
            door="502",
        )
        make_resident(number=number, household=home, name="样甲")
        make_resident(number=other, household=home, name="样甲")
        make_resident(name="样丁", number=id_number(date(1970, 3, 4)), household=home)

        roster = steps.checked(
            steps.workbook(
                row(grid, number=number),
                row(grid, number=other, phone="13900139000"),
                row(grid, name="样乙"),
                row(grid, number=number, name="样丙"),
                row(grid, name="样丁", number=id_number(date(1970, 3, 4))),
                row(grid, phone="1380013800"),
                row(grid, grid="第九十九网格"),
            ),
            community,
        )

        assert roster.state == Roster.State.CHECKED
        assert list(steps.outcomes(roster).values()) == [
            UNCHANGED,
            UPDATE,
            NEW,
            DUPLICATE,
            DUPLICATE,
            REJECTED,
            REJECTED,
        ]
        assert steps.in_balance(roster)
        assert "第2行" in said(roster, 5) or "row 2" in said(roster, 5)
        assert Resident.objects.count() == 3

    def test_begins_with_the_first_sheet_that_has_headings(
        self, grid: Area, community: Area
    ) -> None:
        file = io.BytesIO()
        explained = [["填表说明"], ["姓名", "按证件填写"], ["身份证号", "18位"]]
        write_workbook(file, [("填表说明", explained), ("名单", [steps.HEADINGS, row(grid)])])

        roster = steps.uploaded(file.getvalue(), community)

        assert roster.sheet == 1

    def test_names_the_rows_that_are_no_people(self, grid: Area, community: Area) -> None:
        total = ["合计", "", "", "", "", "", "1"]

        roster = steps.checked(steps.workbook(row(grid), total), community)

        assert steps.outcomes(roster) == {2: NEW}
        assert roster.counts["read"] == 1
        assert any("合计" in sentence for _, sentence in words.findings(roster))

    def test_counts_the_rows_of_each_reason(self, grid: Area, community: Area) -> None:
        roster = steps.checked(
            steps.workbook(
                row(grid, phone="1380013800"),
                row(grid, grid="第九十九网格"),
                row(grid, phone="1380013801"),
            ),
            community,
        )

        assert [(one["rows"], one["examples"]) for one in words.reasons(roster)] == [
            (2, [2, 4]),
            (1, [3]),
        ]
        assert steps.in_balance(roster)

    def test_says_what_an_update_changes_masked(self, grid: Area, community: Area) -> None:
        known = make_resident(grid=grid, name="样甲", phone="13800138000")
        home = known.household
        roster = steps.checked(
            steps.workbook(
                row(
                    grid,
                    number=known.number,
                    phone="13900139000",
                    building=home.building.name,
                    unit=home.unit,
                    door=home.door,
                )
            ),
            community,
        )

        note = json.loads(RosterRow.objects.get(roster=roster).note)

        assert [(c["before"], c["after"]) for c in words.changes(note)] == [
            ("138****8000", "139****9000")
        ]

    def test_takes_no_row_of_a_grid_outside(self, grid: Area, community: Area) -> None:
        outside = make_grid()
        foreign = make_resident(grid=outside, name="样乙")

        roster = steps.checked(
            steps.workbook(
                row(grid, grid=outside.name),
                row(grid, grid=outside.code),
                row(grid, number=foreign.number, name="样乙"),
            ),
            community,
        )

        assert (roster.counts["rejected"], roster.counts["referred"]) == (2, 1)
        assert outside.code not in said(roster, 4)

    def test_takes_columns_of_the_same_sender_as_last_time(
        self, grid: Area, community: Area
    ) -> None:
        headings = ["甲", "乙", *steps.HEADINGS[2:]]
        roster = steps.uploaded(steps.workbook(row(grid), headings=headings), community)
        assert roster.state == Roster.State.CHOOSING
        by = make_user(Role.SUPERVISOR, community)
        heading = columns.find_heading(dry_run.outline_of(roster)["heads"][0])
        assert heading
        fields = {**columns.recognise(heading.cells), 0: "name", 1: "number"}
        services.choose_columns(
            roster=roster, sheet=0, heading=heading, fields=fields, at=NOW, by=by
        )
        roster = steps.worked_on(roster)
        services.take_over(roster=roster, at=NOW, by=by)
        steps.worked_on(roster)

        again = steps.uploaded(steps.workbook(row(grid), headings=headings), community)
        stranger = steps.uploaded(
            steps.workbook(row(grid), headings=headings), community, sender="另一村"
        )

        assert again.state == Roster.State.CHECKED
        assert stranger.state == Roster.State.CHOOSING


class TestTakingOver:
    def test_makes_people_who_are_found_like_any_other(self, grid: Area, community: Area) -> None:
        by = make_user(Role.SUPERVISOR, community)
        number = id_number(date(1988, 8, 8), male=False)

        roster = steps.taken_over(
            steps.workbook(row(grid, name="样小玉", number=number), row(grid, name="样小石")),
            community,
            by,
        )

        assert roster.state == Roster.State.APPLIED
        resident = named("样小玉")
        assert (resident.number, resident.phone, resident.sex, resident.birth_date) == (
            number,
            "+8613800138000",
            "female",
            date(1988, 8, 8),
        )
        assert resident.household.address == "3号楼-2单元-502"
        assert Household.objects.count() == Building.objects.count() == 1
        for text in (number, "13800138000", "8000", "3-2-502", "样小玉", "yangxiaoyu", "yxy"):
            found = search(text=text, today=NOW.date(), by=by)
            assert resident in found.page.rows, text
        by_hand = make_resident(grid=grid, name="样小玉", number=id_number())
        by_hand.refresh_from_db()
        compared = "name_key name_words name_hash phone_hash phone_end gone_as"
        for column in compared.split():
            assert getattr(resident, column) == getattr(by_hand, column), column

    def test_is_in_the_audit_of_everybody_it_touched(self, grid: Area, community: Area) -> None:
        steps.taken_over(steps.workbook(row(grid), row(grid, name="样乙")), community)

        for resident in Resident.objects.all():
            entries = AuditEntry.objects.filter(shown__contains=[resident.key])
            assert entries.get().did == "imported from a roster"

    def test_deletes_the_file_and_what_was_staged(self, grid: Area, community: Area) -> None:
        steps.taken_over(steps.workbook(row(grid)), community)

        assert not RosterFile.objects.exists()
        assert not StagedResident.objects.exists()

    def test_changes_only_what_the_file_says(self, grid: Area, community: Area) -> None:
        known = make_resident(grid=grid, name="样甲", emergency_name="样母")
        content = steps.workbook(
            [known.name, known.number, "13900139000", "9号楼", "101"],
            headings=["姓名", "身份证号", "电话", "楼栋", "门牌号"],
        )

        steps.taken_over(content, community)

        known.refresh_from_db()
        assert (known.phone, known.emergency_name, known.version) == ("+8613900139000", "样母", 2)
        assert known.household.address == "9号楼-101"

    def test_leaves_alone_whom_somebody_changed_after_the_dry_run(
        self, grid: Area, community: Area
    ) -> None:
        known = make_resident(grid=grid, name="样甲")
        born = date(1999, 9, 9)
        soon = id_number(born)
        roster = steps.checked(
            steps.workbook(
                row(grid, number=known.number, phone="13900139000"),
                row(grid, name="样乙", number=soon),
                row(grid, name="样丙"),
            ),
            community,
        )
        by = make_user(Role.SUPERVISOR, community)
        register.change(resident=known, version=1, phone="13700137000", at=NOW, by=by)
        make_resident(grid=grid, name="样乙", number=soon)

        services.take_over(roster=roster, at=NOW, by=by)
        roster = steps.worked_on(roster)

        known.refresh_from_db()
        assert known.phone == "+8613700137000"
        assert steps.outcomes(roster) == {2: REJECTED, 3: REJECTED, 4: NEW}
        assert steps.in_balance(roster)
        assert said(roster, 2)
        rows = reread(mending.rows_to_mend(roster=roster, at=NOW, by=by))
        assert [each[0] for each in rows] == ["姓名", "样甲", "样乙"]

    def test_goes_on_where_it_was_interrupted(
        self, grid: Area, community: Area, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(applying, "CHUNK", 2)
        roster = steps.checked(
            steps.workbook(*[row(grid, name=f"样{each}") for each in "甲乙丙丁戊"]), community
        )
        by = make_user(Role.SUPERVISOR, community)
        services.take_over(roster=roster, at=NOW, by=by)
        whole = applying._apply_chunk
        monkeypatch.setattr(applying, "_apply_chunk", dies_after(1, whole))
        with pytest.raises(KeyboardInterrupt):
            steps.worked_on(roster)
        assert Resident.objects.count() == 2

        monkeypatch.setattr(applying, "_apply_chunk", whole)
        assert working.at_work() == [roster.key]
        roster = steps.worked_on(roster)

        assert (Resident.objects.count(), roster.state, roster.done) == (5, "applied", 5)
        assert steps.worked_on(roster).state == "applied"

    def test_lets_the_first_of_two_rosters_with_the_same_people_win(
        self, grid: Area, community: Area
    ) -> None:
        content = steps.workbook(row(grid), row(grid, name="样乙"))
        first, second = steps.checked(content, community), steps.checked(content, community)
        by = make_user(Role.SUPERVISOR, community)

        for roster in (first, second):
            services.take_over(roster=roster, at=NOW, by=by)
        first, second = steps.worked_on(first), steps.worked_on(second)

        assert Resident.objects.count() == 2
        assert (first.counts["new"], second.counts["late"]) == (2, 2)
        assert steps.in_balance(second)

    @pytest.mark.parametrize(
        ("keys", "new"), [("FIELD_KEYS", "2:" + "A" * 43 + "="), ("SEARCH_KEYS", "another")]
    )
    def test_checks_again_what_was_sealed_or_hashed_under_another_key(
        self, grid: Area, community: Area, settings: object, keys: str, new: str
    ) -> None:
        roster = steps.checked(steps.workbook(row(grid)), community)
        setattr(settings, keys, [new, *getattr(settings, keys)])

        services.take_over(roster=roster, at=NOW, by=make_user(Role.SUPERVISOR, community))
        roster = steps.worked_on(roster)

        assert roster.state == Roster.State.CHECKED
        assert not Resident.objects.exists()

    def test_gives_a_file_up_that_took_three_workers_along(
        self, grid: Area, community: Area
    ) -> None:
        roster = steps.uploaded(steps.workbook(row(grid)), community)
        Roster.objects.update(state=Roster.State.READING, refusal={"attempts": 3})

        roster = steps.worked_on(roster)

        assert roster.state == Roster.State.REFUSED
        assert words.refusal(roster)

    def test_leaves_whoever_has_a_case_in_the_grid_where_the_case_is(self) -> None:
        case = make_case()
        elsewhere = make_grid(Area.objects.get_parent(case.grid))
        who = case.resident

        roster = steps.taken_over(
            steps.workbook(row(elsewhere, name=who.name, number=who.number)),
            Area.objects.get_parent(case.grid),
        )

        who.refresh_from_db()
        assert who.grid == case.grid
        assert roster.counts["late"] == 1


class TestUndoing:
    def test_removes_who_is_new_and_puts_back_what_was_changed(
        self, grid: Area, community: Area
    ) -> None:
        known = make_resident(grid=grid, name="样甲", phone="")
        before = (
            Resident.objects.filter(pk=known.pk)
            .values("phone", "phone_hash", "phone_end", "household")
            .get()
        )
        homes = Household.objects.count()
        roster = steps.taken_over(
            steps.workbook(row(grid, number=known.number), row(grid, name="样乙")), community
        )
        assert Household.objects.count() == homes + 1

        roster = steps.taken_back(roster)

        assert roster.state == Roster.State.UNDONE
        assert list(Resident.objects.all()) == [known]
        after = (
            Resident.objects.filter(pk=known.pk)
            .values("phone", "phone_hash", "phone_end", "household")
            .get()
        )
        assert after == before
        assert Household.objects.count() == homes
        assert (roster.counts["removed"], roster.counts["restored"]) == (1, 1)

    def test_keeps_whom_somebody_changed_or_needs_since(self) -> None:
        grid = make_place("yingkou-2022-11", "210800")
        community = Area.objects.get_parent(grid)
        known = make_resident(grid=grid, name="样甲")
        roster = steps.taken_over(
            steps.workbook(
                row(grid, number=known.number, phone="13900139000"),
                row(grid, name="样乙"),
                row(grid, name="样丙"),
            ),
            community,
        )
        by = make_user(Role.SUPERVISOR, community)
        known.refresh_from_db()
        register.change(resident=known, version=2, phone="13700137000", at=NOW, by=by)
        changed, used = (named(name) for name in ("样乙", "样丙"))
        register.change(resident=changed, version=1, phone="13700137000", at=NOW, by=by)
        make_case(grid, resident=used)

        roster = steps.taken_back(roster)

        known.refresh_from_db()
        assert known.phone == "+8613700137000"
        assert {changed, used} <= set(Resident.objects.all())
        fates = dict(RosterRow.objects.values_list("number", "fate"))
        assert fates == {2: "changed", 3: "changed", 4: "in_use"}

    def test_is_possible_for_thirty_days(self, grid: Area, community: Area) -> None:
        roster = steps.taken_over(steps.workbook(row(grid), row(grid, phone="1")), community)
        late = NOW + services.KEPT + timedelta(seconds=1)

        assert working.expire(at=late) == 1

        assert not RosterRow.objects.exclude(note=b"").exists()
        roster.refresh_from_db()
        with pytest.raises(services.NotNowError):
            services.take_back(roster=roster, at=late, by=make_user(Role.SUPERVISOR, community))


class TestTheRowsToMend:
    def test_come_back_as_they_were_typed_and_can_be_sent_again(
        self, grid: Area, community: Area
    ) -> None:
        wrong = row(grid, name="=1+1", phone="01234")
        roster = steps.taken_over(steps.workbook(row(grid), wrong), community)

        by = make_user(Role.SUPERVISOR, community)
        content = mending.rows_to_mend(roster=roster, at=NOW, by=by)

        _, back = reread(content)
        assert back[:-1] == wrong
        assert len(back[-1]) > 10
        again = steps.uploaded(content, community)
        assert (again.state, again.counts["rejected"]) == (Roster.State.CHECKED, 1)


class TestNothingPersonal:
    def test_is_legible_in_the_tables_of_rosters(self, grid: Area, community: Area) -> None:
        typed = row(grid, name="样标记乙", phone="1381234567")
        steps.checked(steps.workbook(row(grid, name="样甲"), typed), community)

        with connection.cursor() as cursor:
            tables = ("roster", "rosterfile", "rosterrow", "stagedresident")
            for table in tables:
                cursor.execute(f"SELECT string_agg(t::text, ' ') FROM residents_{table} t")  # noqa: S608
                text = cursor.fetchone()[0]
                assert "标记乙" not in text
                assert "1381234567" not in text
                assert typed[1] not in text


def reread(content: bytes) -> list[list[Any]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()


def dies_after(times: int, work: object) -> object:
    left = [times]

    def dying(*given: object) -> object:
        if not left[0]:
            raise KeyboardInterrupt
        left[0] -= 1
        return work(*given)  # type: ignore[operator]

    return dying
