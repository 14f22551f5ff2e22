"""Two entries become one person with all that is known of them, and two again."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from playwright.sync_api import Page

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from common.undo_window import TooLateToUndoError
from quarantine.acts.results import record_result, take_sample
from quarantine.arrivals.services import Logged, take_back_arrival
from quarantine.cases.facts import unpack
from quarantine.cases.lifecycle import write_person
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.corrections.arrivals import correct_arrival
from quarantine.corrections.results import correct_result
from quarantine.duplicates import merging
from quarantine.models import Arrival, Case
from residents.duplicates.merging import Field, MergeError, field_values
from residents.duplicates.models import Merge
from residents.keypeople.models import HealthFile
from residents.keypeople.services import DoseError
from residents.register import services
from residents.register.models import Resident
from residents.relocation import handovers
from testing import services as testing
from testing.models import NATResult, Sample
from tests import browser
from tests.factories import (
    NOW,
    make_community,
    make_dose,
    make_file,
    make_grid,
    make_household,
    make_need,
    make_place,
    make_resident,
    make_user,
    make_worker,
    moment,
)
from tests.residents.rosters import steps
from tests.tries import tried

Arrive = Callable[..., Logged]

# Every table that points to a resident, and what a merge does with it.
POINTERS = {
    "Arrival": "comes along",
    "Case": "comes along",
    "Sample": "comes along",
    "Todo": "comes along",
    "Need": "comes along",
    "Dose": "comes along",
    "Worker": "comes along",
    "HealthFile": "comes along unless both have one",
    "Move": "stays: where an entry lived is that entry's",
    "Handover": "stays; while one waits, nothing is merged",
    "Opening": "stays: it was of that entry, and for an hour",
    "Merge": "stays",
    "NotSame": "stays",
    "Frozen": "stays: what is frozen is not merged",
}


def test_every_table_that_points_to_a_resident_is_decided_on() -> None:
    pointing = {
        relation.related_model._meta.object_name
        for relation in Resident._meta.get_fields(include_hidden=True)
        if relation.auto_created and not relation.concrete and relation.related_model
    }

    assert pointing == POINTERS.keys()


@pytest.fixture
def kept(grid: Area, staff: User) -> Resident:
    return make_resident(grid=grid, name="李小明", phone="13900139000", by=staff)


@pytest.fixture
def merged(grid: Area, staff: User) -> Resident:
    return make_resident(
        grid=grid,
        name="李晓明",
        number="E12345678",
        document_type=Resident.DocumentType.PASSPORT,
        phone="13900139001",
        by=staff,
    )


def join(kept: Resident, merged: Resident, by: User, *take: Field) -> Merge:
    for resident in (kept, merged):
        resident.refresh_from_db()
    made = merging.merge(
        kept=kept,
        merged=merged,
        versions=(kept.version, merged.version),
        take=take,
        at=NOW,
        by=by,
    )
    return Merge.objects.select_related("kept", "merged").get(pk=made.pk)


def change_phone(resident: Resident, by: User) -> None:
    services.change(
        resident=resident, version=resident.version, phone="13700137000", at=NOW, by=by
    )


def whole(*people: Resident) -> list[Any]:
    """Return all that is known of people: fields, gone or here, and what points to them."""
    known: list[Any] = []
    for resident in people:
        resident.refresh_from_db()
        known += [
            field_values(resident),
            resident.name_key,
            resident.number_hash,
            resident.phone_end,
        ]
        known += [
            sorted(rows.values_list("pk", flat=True))
            for rows in (
                resident.arrivals,
                resident.samples,
                resident.needs,
                resident.posts,
                HealthFile.objects.filter(resident=resident),
            )
        ]
        known.append([file.known for file in HealthFile.objects.filter(resident=resident)])
        known.append(sorted(resident.doses.values_list("pk", "day_hash")))
        known.append(sorted(resident.cases.values_list("pk", "grid", "history", "release_on")))
    return known


THINGS = st.sets(st.sampled_from(["case", "sample", "need", "dose", "post", "file", "away"]))


def give(resident: Resident, things: set[str], arrive: Arrive) -> None:
    """Let a resident live elsewhere, be under a measure, be tested, and so on."""
    resident.refresh_from_db()
    by = make_user(Role.GRID_STAFF, resident.grid)
    if "away" in things:
        home = make_household(grid=make_grid(Area.objects.get_parent(resident.grid)))
        Resident.objects.filter(pk=resident.pk).update(household=home, grid=home.building.grid)
    acts: dict[str, Callable[[], object]] = {
        "case": lambda: arrive(days=2, resident=resident),
        "sample": lambda: testing.take_sample(resident=resident, taken_at=NOW, at=NOW, by=by),
        "file": lambda: make_file(resident, pregnant=True),
        "need": lambda: make_need(resident),
        "dose": lambda: make_dose(resident),
        "post": lambda: make_worker(resident),
    }
    resident.refresh_from_db()
    for name, act in acts.items():
        if name in things:
            act()
    write_person(resident=resident, today=NOW.date())


class TestMerging:
    def test_takes_the_chosen_fields_and_leaves_the_others(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        join(kept, merged, supervisor, Field.NAME, Field.DOCUMENT)

        kept.refresh_from_db()
        assert (kept.name, kept.number, kept.phone) == ("李晓明", "E12345678", "+8613900139000")
        assert services.find_by_number(document_type="passport", number="E12345678") == kept
        assert list(Resident.objects.visible_to(supervisor)) == [kept]

    def test_leads_from_a_number_that_was_not_taken_to_the_kept_entry(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        join(kept, merged, supervisor)

        assert services.find_by_number(document_type="passport", number="E12345678") == kept

    def test_brings_the_case_with_its_evidence_samples_and_needs(
        self, arrive: Arrive, kept: Resident, merged: Resident, staff: User, supervisor: User
    ) -> None:
        case = arrive(days=2, resident=merged).case
        assert case
        take_sample(case=case, taken_at=NOW, at=NOW, by=staff)
        need, dose = make_need(merged), make_dose(merged)

        join(kept, merged, supervisor)

        case.refresh_from_db()
        assert case.resident == kept
        assert case.arrival
        assert case.arrival.resident == kept
        assert Sample.objects.get().resident == kept
        assert list(kept.needs.all()) == [need]
        assert list(kept.doses.all()) == [dose]
        assert case.next_test_on

    def test_takes_the_case_to_the_grid_of_the_kept_entry(
        self, arrive: Arrive, kept: Resident, merged: Resident, supervisor: User, grid: Area
    ) -> None:
        case = arrive(days=2, resident=merged).case
        assert case
        other = make_household(grid=grid)
        Resident.objects.filter(pk=kept.pk).update(household=other)

        made = join(kept, merged, supervisor)
        merging.unmerge(made=made, at=NOW, by=supervisor)

        case.refresh_from_db()
        assert (case.resident, case.grid) == (merged, grid)

    def test_is_written_down_for_both(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        join(kept, merged, supervisor)

        entries = AuditEntry.objects.filter(did="merged two entries")
        assert {entry.subject for entry in entries} == {
            f"resident:{kept.key}",
            f"resident:{merged.key}",
        }

    def test_leaves_a_sample_of_a_day_that_both_have(
        self, kept: Resident, merged: Resident, staff: User, supervisor: User
    ) -> None:
        for resident in (kept, merged):
            testing.take_sample(resident=resident, taken_at=NOW, at=NOW, by=staff)

        join(kept, merged, supervisor)

        assert kept.samples.count() == merged.samples.count() == 1

    def test_counts_the_doses_of_both_and_one_of_a_day_that_both_have(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        make_dose(kept, date(2021, 5, 1))
        for on in (date(2021, 5, 1), date(2021, 6, 1)):
            make_dose(merged, on)

        made = join(kept, merged, supervisor)

        assert HealthFile.objects.get(resident=kept).known.doses == (("inactivated", 2),)
        with pytest.raises(DoseError):
            make_dose(kept, date(2021, 6, 1))
        merging.unmerge(made=made, at=NOW, by=supervisor)
        files = HealthFile.objects.order_by("resident")
        assert [file.known.doses for file in files] == [
            (("inactivated", 1),),
            (("inactivated", 2),),
        ]

    def test_takes_sex_and_birth_date_from_where_the_number_comes(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        Resident.objects.filter(pk=merged.pk).update(birth_date=date(1999, 9, 9), sex="male")
        born = kept.birth_date

        made = join(kept, merged, supervisor, Field.BIRTH_DATE, Field.SEX)
        assert made.kept.birth_date == born
        merging.unmerge(made=made, at=NOW, by=supervisor)
        made = join(merged, kept, supervisor, Field.DOCUMENT)

        assert (made.kept.birth_date, made.kept.number) == (born, kept.number)

    def test_leads_a_roster_to_the_kept_entry(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        community = Area.objects.get_parent(kept.grid)
        join(kept, merged, supervisor)

        headings = [*steps.HEADINGS, "证件类型"]
        row = ["李小明", "E12345678", "13700137000", *[""] * 4, "护照"]
        steps.taken_over(steps.workbook(row, headings=headings), community)

        kept.refresh_from_db()
        assert kept.phone == "+8613700137000"
        assert Resident.objects.count() == 2

    def test_leads_on_where_the_kept_entry_was_merged_too(
        self, kept: Resident, merged: Resident, supervisor: User, grid: Area, client: Client
    ) -> None:
        third = make_resident(grid=grid)
        join(kept, merged, supervisor)
        join(third, kept, supervisor)

        assert services.find_by_number(document_type="passport", number="E12345678") == third
        client.force_login(supervisor)
        page = client.get(reverse("resident_detail", args=[merged.key]))
        assert page.headers["Location"] == reverse("resident_detail", args=[third.key])

    def test_keeps_a_fresh_arrival_from_being_taken_back_over_it(
        self, arrive: Arrive, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        arrival = arrive(resident=merged).arrival
        join(kept, merged, supervisor)

        arrival.refresh_from_db()
        with pytest.raises(TooLateToUndoError):
            take_back_arrival(arrival=arrival, at=NOW, by=supervisor)

    def test_shows_who_looked_at_either_entry(
        self, kept: Resident, merged: Resident, supervisor: User, client: Client
    ) -> None:
        client.force_login(supervisor)
        looks = reverse("resident_access_log", args=[kept.key])
        services.uncover(resident=merged, field="phone", reason="call", by=supervisor)
        assert "电话联系" not in client.get(looks).content.decode()

        join(kept, merged, supervisor)

        assert "电话联系" in client.get(looks).content.decode()


class TestRefused:
    def test_are_two_open_cases(
        self, arrive: Arrive, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        for resident in (kept, merged):
            arrive(days=2, resident=resident)

        with pytest.raises(MergeError, match="来返或采样"):
            join(kept, merged, supervisor)
        assert not Merge.objects.exists()
        assert not Resident.objects.get(pk=merged.pk).gone_as

    def test_is_a_result_that_would_stay_behind(
        self, kept: Resident, merged: Resident, staff: User, supervisor: User
    ) -> None:
        for resident in (kept, merged):
            testing.take_sample(resident=resident, taken_at=NOW, at=NOW, by=staff)
        testing.record_result(
            sample=Sample.objects.get(resident=merged),
            outcome=NATResult.Outcome.NEGATIVE,
            ct=None,
            reported_at=NOW,
            at=NOW,
            by=staff,
        )

        with pytest.raises(MergeError, match="来返或采样"):
            join(kept, merged, supervisor)
        assert join(merged, kept, supervisor)

    def test_are_two_places_on_the_white_list(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        for resident in (kept, merged):
            make_worker(resident)

        with pytest.raises(MergeError, match="白名单"):
            join(kept, merged, supervisor)

    @pytest.mark.parametrize(
        ("goes", "stays", "refused"),
        [
            ({"conditions": ("diabetes",)}, {}, True),
            ({"conditions": ("diabetes",)}, {"conditions": ("diabetes", "tumour")}, False),
            ({"stable": False}, {}, True),
            ({}, {"pregnant": True}, False),
            ({"pregnant": True}, {"disabled": True}, True),
        ],
    )
    def test_is_a_health_file_that_says_more_than_the_one_that_stays(
        self,
        *,
        goes: dict[str, Any],
        stays: dict[str, Any],
        refused: bool,
        kept: Resident,
        merged: Resident,
        supervisor: User,
    ) -> None:
        make_file(merged, **goes)
        make_file(kept, **stays)

        with pytest.raises(MergeError, match="健康档案") if refused else nullcontext():
            join(kept, merged, supervisor)

    def test_is_somebody_who_is_handed_over(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        handovers.offer(
            resident=merged, to=make_community(), day=NOW.date(), note="", at=NOW, by=supervisor
        )

        with pytest.raises(MergeError, match="移交"):
            join(kept, merged, supervisor)

    def test_is_a_case_of_somebody_who_has_gone(
        self, arrive: Arrive, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        arrive(days=2, resident=merged)
        Resident.objects.filter(pk=kept.pk).update(gone_as="left", gone_on=NOW.date())

        with pytest.raises(MergeError, match="居住"):
            join(kept, merged, supervisor)
        assert join(kept, merged, supervisor, Field.HOME)

    def test_is_a_page_that_is_old(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        with pytest.raises(services.ChangedMeanwhileError):
            merging.merge(
                kept=kept, merged=merged, versions=(1, 7), take=(), at=NOW, by=supervisor
            )
        assert not Merge.objects.exists()

    def test_is_an_entry_that_was_merged_already(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        join(kept, merged, supervisor)

        with pytest.raises((MergeError, IntegrityError)), transaction.atomic():
            join(kept, merged, supervisor)


class TestUndoing:
    def test_brings_both_back_as_they_were_with_all_that_pointed_to_them(
        self, arrive: Arrive, kept: Resident, merged: Resident, staff: User, supervisor: User
    ) -> None:
        case = arrive(days=2, resident=merged).case
        assert case
        take_sample(case=case, taken_at=NOW, at=NOW, by=staff)
        make_need(merged)
        make_dose(kept)
        before = whole(kept, merged)

        made = join(kept, merged, supervisor, *Field)
        assert whole(kept, merged) != before
        merging.unmerge(made=made, at=NOW + timedelta(days=40), by=supervisor)

        assert whole(kept, merged) == before
        case.refresh_from_db()
        assert case.resident == merged

    @settings(
        max_examples=15,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(take=st.sets(st.sampled_from(list(Field))), first=THINGS, second=THINGS)
    def test_brings_back_whatever_either_had(
        self,
        *,
        arrive: Arrive,
        kept: Resident,
        merged: Resident,
        supervisor: User,
        take: set[Field],
        first: set[str],
        second: set[str],
    ) -> None:
        with tried():
            give(kept, first, arrive)
            give(merged, second, arrive)
            before = whole(kept, merged)

            try:
                made = join(kept, merged, supervisor, *take)
            except MergeError:
                assert {"case", "post"} & first & second or "file" in second - first
            else:
                assert not merged.cases.open().exists()
                merging.unmerge(made=made, at=NOW, by=supervisor)

            assert whole(kept, merged) == before

    def test_keeps_what_was_changed_of_fields_that_were_not_taken(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        made = join(kept, merged, supervisor, Field.NAME)
        services.change(
            resident=made.kept,
            version=made.kept.version,
            phone="13700137000",
            at=NOW,
            by=supervisor,
        )

        merging.unmerge(made=made, at=NOW, by=supervisor)

        kept.refresh_from_db()
        assert (kept.name, kept.phone) == ("李小明", "+8613700137000")

    def test_is_refused_once_what_was_taken_was_changed(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        made = join(kept, merged, supervisor, Field.PHONE)
        services.change(
            resident=made.kept,
            version=made.kept.version,
            phone="13700137000",
            at=NOW,
            by=supervisor,
        )

        with pytest.raises(MergeError, match="手机号码"):
            merging.unmerge(made=made, at=NOW, by=supervisor)

    def test_is_refused_once_another_entry_holds_the_number(
        self, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        made = join(kept, merged, supervisor)
        services.change(
            resident=made.kept,
            version=made.kept.version,
            document_type="passport",
            number="E12345678",
            at=NOW,
            by=supervisor,
        )

        with pytest.raises(MergeError, match="证件号码"):
            merging.unmerge(made=made, at=NOW, by=supervisor)
        assert Resident.objects.get(pk=merged.pk).gone_as == "merged"

    def test_takes_along_what_was_put_right_since(
        self, arrive: Arrive, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        case = arrive(days=2, resident=merged).case
        assert case
        made = join(kept, merged, supervisor)
        arrival = Arrival.objects.select_related("grid", "resident").get(case=case)
        day = arrival.arrived_on - timedelta(days=1)
        facts = replace(unpack(arrival.facts, day_1=arrival.arrived_on), start=day)
        right = correct_arrival(
            arrival=arrival,
            facts=facts,
            origin=arrival.origin,
            from_abroad=False,
            reason="示例更正",
            at=NOW,
            by=supervisor,
        ).arrival

        merging.unmerge(made=made, at=NOW, by=supervisor)

        case.refresh_from_db()
        right.refresh_from_db()
        assert (case.resident, right.resident, case.arrival) == (merged, merged, right)
        assert unexplained_cases() == []

    @pytest.mark.django_db
    def test_is_refused_once_a_case_that_came_along_rests_on_a_fact_of_the_other(self) -> None:
        grid = make_place("cangshan-2022-324", "350104")
        by = make_user("supervisor", grid)
        kept, merged = make_resident(grid=grid), make_resident(grid=grid)
        early, late = (moment(NOW.date() - timedelta(days=days), 8) for days in (2, 1))
        results = {}
        for resident, at, outcome in ((kept, early, "negative"), (merged, late, "positive")):
            sample = testing.take_sample(resident=resident, taken_at=at, at=at, by=by)
            results[outcome] = record_result(
                sample=sample,
                outcome=NATResult.Outcome(outcome),
                ct=None,
                reported_at=at,
                at=at,
                by=by,
            ).result
        made = join(kept, merged, by)
        wrong = NATResult.objects.get(pk=results["negative"].pk)
        correct_result(
            case=None,
            result=wrong,
            outcome=NATResult.Outcome.POSITIVE,
            ct=None,
            reason="示例更正",
            at=NOW,
            by=by,
        )

        with pytest.raises(MergeError, match="已更正"):
            merging.unmerge(made=made, at=NOW, by=by)

    def test_is_done_once(self, kept: Resident, merged: Resident, supervisor: User) -> None:
        made = join(kept, merged, supervisor)
        merging.unmerge(made=made, at=NOW, by=supervisor)

        with pytest.raises(MergeError):
            merging.unmerge(made=made, at=NOW, by=supervisor)


class TestTheDatabase:
    @pytest.mark.parametrize("model", [Arrival, Sample, Case])
    def test_lets_no_fact_change_its_person_without_a_merge(
        self,
        model: Any,
        arrive: Arrive,
        kept: Resident,
        merged: Resident,
        staff: User,
    ) -> None:
        case = arrive(days=2, resident=merged).case
        assert case
        take_sample(case=case, taken_at=NOW, at=NOW, by=staff)

        refused = pytest.raises(InternalError, match=r"same_person|evidence_fits")
        with refused, transaction.atomic():
            model.objects.update(resident=kept)

    def test_keeps_the_rest_of_a_fact_as_it_was(
        self, arrive: Arrive, kept: Resident, merged: Resident, supervisor: User
    ) -> None:
        arrive(days=2, resident=merged)
        join(kept, merged, supervisor)

        with pytest.raises(InternalError, match="pgtrigger"), transaction.atomic():
            Arrival.objects.update(resident=merged, origin="310000")


class TestThePages:
    @pytest.fixture
    def pair(self, grid: Area, staff: User) -> tuple[Resident, Resident]:
        first = make_resident(grid=grid, name="李小明", phone="13900139000", by=staff)
        second = make_resident(grid=grid, name="李小明", phone="13900139000", by=staff)
        return first, second

    def test_propose_compare_merge_and_undo(
        self, pair: tuple[Resident, Resident], client: Client, supervisor: User, today: None
    ) -> None:
        client.force_login(supervisor)
        first, second = pair
        compare = reverse("duplicate_compare", args=[first.key, second.key])
        assert compare in client.get(reverse("duplicate_list")).content.decode()
        shown = client.get(compare).content.decode()
        for secret in ("李小明", first.number, second.number):
            assert secret not in shown

        client.post(
            compare,
            {
                "kept_version": first.version,
                "merged_version": second.version,
                "document": "merged",
            },
        )

        first.refresh_from_db()
        assert first.number == second.number
        old = client.get(reverse("resident_detail", args=[second.key]))
        assert old.headers["Location"] == reverse("resident_detail", args=[first.key])
        page = client.get(reverse("resident_detail", args=[first.key])).content.decode()
        made = Merge.objects.get()
        assert reverse("undo_merge", args=[made.key]) in page
        client.post(reverse("undo_merge", args=[made.key]))
        assert set(Resident.objects.here()) == set(pair)

    def test_can_be_used_by_thumb_and_at_a_desk(
        self,
        transactional_db: None,
        phone: Page,
        desktop: Page,
        pair: tuple[Resident, Resident],
        supervisor: User,
    ) -> None:
        compare = reverse("duplicate_compare", args=[resident.key for resident in pair])
        of = reverse("duplicate_of", args=[pair[0].key])
        for page in (phone, desktop):
            browser.sign_in(page, supervisor)
            for address in (reverse("duplicate_list"), of, compare):
                page.goto(address)
                assert browser.barriers(page) == []
                width = "document.documentElement.scrollWidth <= innerWidth"
                assert page.evaluate(width)
        phone.goto(compare)
        assert browser.too_small(phone) == []
        phone.get_by_role("button", name="合并为一条登记").click()
        phone.get_by_role("button", name="撤销合并").click()
        phone.wait_for_load_state()

        assert not Merge.objects.filter(undone_at=None).exists()

    def test_say_why_not(
        self,
        pair: tuple[Resident, Resident],
        arrive: Arrive,
        client: Client,
        supervisor: User,
        today: None,
    ) -> None:
        client.force_login(supervisor)
        for resident in pair:
            arrive(days=2, resident=resident)
        first, second = pair

        page = client.post(
            reverse("duplicate_compare", args=[first.key, second.key]),
            {"kept_version": first.version, "merged_version": second.version},
        )

        assert page.context["refused"]
        assert page.context["refused"] in page.content.decode()
