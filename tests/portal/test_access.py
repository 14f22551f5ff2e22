"""
Who may open which page: every URL pattern, for every role, for what is theirs and what is not.

A URL pattern that is missing in `PAGES` fails `test_every_page_is_in_the_table`. To add one, write
its URL name and who may open it:

    "case_list": FIELD,                                        grid staff and supervisors
    "case_detail": FIELD.of(lambda at: {"key": at.case.key}),  those of the case's own area

For a page about one thing, `at` is a place with all that is in it (`Place`; add what you need):
the page is asked for with the thing of one place by the people of that place, who may, and by the
people of another, who must get the same 404 as for a thing that does not exist.
"""

import inspect
import io
import math
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import product
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.conf import settings
from django.core.cache import cache
from django.db import connection, transaction
from django.db.models import Max
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import translation
from pytest_django import DjangoDbBlocker

from accounts.auditing.models import AuditEntry
from accounts.exports import requests
from accounts.exports.models import ExportRequest
from accounts.proposals.models import AccountProposal
from accounts.staff.models import Area, Role, User
from policy import drafts
from policy.models import Activation, ApiClient, StoredDocument
from policy.questions import clients
from portal import servers
from portal.models import Purge
from portal.retention import certificate
from portal.staffing import proposals
from quarantine.cases.lifecycle import add_note
from quarantine.duplicates import merging
from quarantine.models import Arrival, Case, Event
from quarantine.todo.models import Todo
from quarantine.todo.services import open_todo
from reminders.models import Message
from residents.closings.models import Closing
from residents.duplicates.models import Merge
from residents.keypeople.models import Dose, Need
from residents.openings.models import Opening
from residents.register.models import Household, Resident
from residents.relocation import handovers, moves
from residents.relocation.models import Handover, Move
from residents.rosters.models import Roster
from residents.whitelist.models import Worker
from testing.models import NATResult
from tests.factories import (
    NOW,
    make_case,
    make_dose,
    make_grid,
    make_household,
    make_need,
    make_place,
    make_resident,
    make_result,
    make_user,
    make_worker,
    put_in_force,
)
from tests.policy.test_drafts import NOTICE
from tests.portal.test_access_accounts import section
from tests.residents.rosters import steps

pytestmark = pytest.mark.django_db

STAFF, SUPERVISOR, ADMINISTRATOR, AUDITOR = Role


@dataclass
class Place:
    """A community with all that pages are about."""

    community: Area
    grid: Area
    household: Household
    resident: Resident
    account: User
    arrival: Arrival
    case: Case
    result: NATResult
    event: Event
    message: Message
    undelivered: Message
    activation: Activation
    need: Need
    dose: Dose
    worker: Worker

    name: str
    # Never in an answer, unless somebody uncovers it with a reason.
    secrets: frozenset[str]
    # What pages show instead, to those whose place it is.
    signs: frozenset[str]

    @classmethod
    def make(cls, name: str, *, county: str, family: str, door: str, phone: str) -> "Place":
        grid = make_place("yingkou-2022-11", county)
        household = make_household(grid=grid, door=door)
        resident = make_resident(
            household=household,
            name=f"{family}{family}{name}",
            phone=f"{phone}01",
            emergency_name=f"{family}{name}急",
            emergency_phone=f"{phone}02",
        )
        case = make_case(grid, resident=resident)
        recorded = make_result(case, NOW.date())
        staff = make_user(STAFF, grid)
        note = f"备注{phone}"
        add_note(case=case, text=note, at=NOW, by=staff)
        event = Event.objects.filter(case=case).first()
        assert event is not None
        assert case.arrival is not None
        return cls(
            community=Area.objects.get_parent(grid),
            grid=grid,
            household=resident.household,
            resident=resident,
            account=staff,
            arrival=case.arrival,
            case=case,
            result=recorded.result,
            event=event,
            message=_message(case, channel="in_app", state="sent", sent_at=NOW),
            undelivered=_message(case, channel="sms", state="failed"),
            activation=put_in_force("yingkou-2022-11", Area.objects.get_parent(grid)),
            need=make_need(resident),
            dose=make_dose(resident),
            worker=make_worker(resident),
            name=name,
            secrets=frozenset(
                {
                    *(resident.name, resident.number, resident.emergency_name),
                    *(f"{phone}01", f"{phone}02"),
                }
            ),
            signs=frozenset({f"{family}*", door, note, *map(str, (resident.key, household.key))}),
        )

    @property
    def roster(self) -> Roster:
        """Return a roster that waits to be taken over; only its own pages pay for it."""
        there = Roster.objects.filter(area=self.community).first()
        return there or steps.checked(steps.workbook(["样甲"]), self.community)

    @property
    def asked(self) -> ExportRequest:
        """Return a request for unmasked data of this place."""
        there = ExportRequest.objects.filter(area=self.grid).first()
        return there or requests.ask(
            what="residents",
            area=self.grid,
            filters={},
            fields=["phone"],
            kind="xlsx",
            purpose="medical",
            reason="转诊",
            at=NOW,
            by=make_user(STAFF, self.grid),
        )

    @property
    def proposal(self) -> AccountProposal:
        """Return what an administrator above proposes about the account."""
        there = AccountProposal.objects.filter(account=self.account).first()
        if there:
            return there
        values = {"name": "林", "role": SUPERVISOR, "employer": "示例", "email": ""}
        by = make_user(ADMINISTRATOR, Area.objects.get_parent(self.community))
        proposed = proposals.change(
            account=self.account,
            values={**values, "areas": [self.grid]},
            taker=make_user(STAFF, self.grid),
            at=NOW,
            by=by,
        )
        assert proposed
        return proposed

    @property
    def closing(self) -> Closing:
        """Return an outbreak that was closed here, and of which nothing is frozen."""
        there = Closing.objects.filter(area=self.community).first()
        last = dict.fromkeys(("last_case", "last_arrival", "last_sample", "last_todo"), 0)
        return there or Closing.objects.create(
            area=self.community,
            reason="结束",
            closed_at=NOW,
            closed_by=make_user(SUPERVISOR, self.community),
            people=0,
            days=30,
            said_by="default",
            purge_from=NOW.date(),
            **last,
        )

    @property
    def purge(self) -> Purge:
        """Return a purge that waits for a second person."""
        there = Purge.objects.filter(closing=self.closing).first()
        return there or Purge.objects.create(
            closing=self.closing, asked_by=make_user(SUPERVISOR, self.community), asked_at=NOW
        )

    @property
    def certified(self) -> Purge:
        """Return a purge that is done."""
        there = Purge.objects.exclude(certificate=None).filter(closing=self.closing).first()
        made = there or Purge(
            closing=self.closing,
            asked_by=make_user(SUPERVISOR, self.community),
            asked_at=NOW,
            approved_by=make_user(ADMINISTRATOR, self.community),
            approved_at=NOW,
            before={},
            finished_at=NOW,
        )
        if there is None:
            made.certificate = certificate.signed(certificate.body(made, kept={}))
            made.save()
        return made

    @property
    def todo(self) -> Todo:
        """Return symptoms that somebody is to look at."""
        there = Todo.objects.filter(resident=self.resident).first()
        return there or open_todo(
            kind=Todo.Kind.SYMPTOMS,
            resident=self.resident,
            cause=self.event,
            case=self.case,
            at=NOW,
            by=self.account,
        )

    @property
    def move(self) -> Move:
        """Return a move inside the grid."""
        return Move.objects.filter(resident__grid=self.grid).first() or _moved(self.grid)

    @property
    def other(self) -> Resident:
        """Return somebody else of the grid."""
        there = Resident.objects.here().filter(grid=self.grid).exclude(pk=self.resident.pk)
        return there.first() or make_resident(grid=self.grid)

    @property
    def merge(self) -> Merge:
        """Return a merge of two entries of the grid."""
        there = Merge.objects.filter(kept__grid=self.grid).first()
        return there or merging.merge(
            kept=make_resident(grid=self.grid),
            merged=make_resident(grid=self.grid),
            versions=(1, 1),
            take=(),
            at=NOW,
            by=make_user(SUPERVISOR, self.community),
        )

    @property
    def going(self) -> Handover:
        """Return somebody whom this place hands over."""
        there = Handover.objects.filter(grid=self.grid).first()
        return there or _handed_over(self.grid, make_grid())

    @property
    def coming(self) -> Handover:
        """Return somebody who is handed over to this place."""
        there = Handover.objects.filter(to=self.community).first()
        return there or _handed_over(make_grid(), self.grid)


def _moved(grid: Area) -> Move:
    resident, by = make_resident(grid=grid), make_user(STAFF, grid)
    home = make_household(grid=grid)
    return moves.move(resident=resident, household=home, version=1, day=NOW.date(), at=NOW, by=by)


def _handed_over(grid: Area, to: Area) -> Handover:
    return handovers.offer(
        resident=make_resident(grid=grid),
        to=Area.objects.get_parent(to),
        day=NOW.date(),
        at=NOW,
        by=make_user(STAFF, grid),
    )


def _message(case: Case, **given: Any) -> Message:
    times = {"day": NOW.date(), "created_at": NOW, "not_before": NOW}
    return Message.objects.create(case=case, grid=case.grid, kind="test_today", **times, **given)


def waiting_draft() -> StoredDocument:
    """Return a draft that waits for a second administrator."""
    return StoredDocument.objects.waiting().first() or drafts.upload(
        content=NOTICE, name="notice.yaml", at=NOW, by=make_user(ADMINISTRATOR)
    )


def api_client() -> ApiClient:
    """Return a program that may ask."""
    return (
        ApiClient.objects.first()
        or clients.make_client(name="laboratory", at=NOW, by=make_user(ADMINISTRATOR))[0]
    )


def opening_in(at: Place) -> Opening:
    """Return that somebody from elsewhere has opened the record of a place's resident."""
    return Opening.objects.create(
        resident=at.resident, by=make_user(STAFF), reason="示例", until=NOW + timedelta(days=9999)
    )


@dataclass(frozen=True)
class Page:
    """Who may open a page, and what it is about; `roles` is None where nobody signs in."""

    roles: frozenset[Role] | None
    about: Callable[[Place], dict[str, Any]] | None = None
    methods: tuple[str, ...] = ("get", "post")
    answers: int = 200  # where nobody signs in
    everywhere: bool = False  # the same for whoever may open it, wherever they work
    not_there_for: frozenset[Role] = frozenset()
    top: bool = False  # for administrators of the whole only

    def of(self, about: Callable[[Place], dict[str, Any]]) -> "Page":
        """Return the page about a thing of a place."""
        return replace(self, about=about)

    def of_all(self, about: Callable[[Place], dict[str, Any]]) -> "Page":
        """Return the page about a thing that belongs to no place."""
        return replace(self, about=about, everywhere=True)

    def by(self, *methods: str) -> "Page":
        """Return the page that answers these methods only."""
        return replace(self, methods=methods)

    def kwargs(self, place: Place) -> dict[str, Any]:
        return self.about(place) if self.about else {}


PUBLIC = Page(None)
NOBODY = Page(None, answers=404)
WITH_KEY = Page(None, answers=401)
SIGNED_IN = Page(frozenset(Role))
FIELD = Page(frozenset({STAFF, SUPERVISOR}))
GRID_STAFF = Page(frozenset({STAFF}))
SUPERVISORS = Page(frozenset({SUPERVISOR}))
ADMIN = Page(frozenset({ADMINISTRATOR}))
AUDIT = Page(frozenset({AUDITOR}))
TOP = Page(frozenset({ADMINISTRATOR}), top=True)
OVER = Page(frozenset({SUPERVISOR, ADMINISTRATOR}))
TAKERS = Page(frozenset({STAFF, SUPERVISOR, AUDITOR}))

PAGES: dict[str, Page] = {
    # Health, language
    "healthz": PUBLIC.by("get"),
    "healthz/worker": PUBLIC.by("get"),
    "set_language": PUBLIC.by("post"),
    # Sign-in
    "account_login": PUBLIC,
    "account_logout": PUBLIC,
    "account_inactive": PUBLIC.by("get"),
    "account_reauthenticate": SIGNED_IN,
    "account_change_password": SIGNED_IN,
    "activate": PUBLIC,
    "own_email": SIGNED_IN,
    "own_history": SIGNED_IN.by("get"),
    "session": SIGNED_IN.by("get"),
    "mfa_index": SIGNED_IN.by("get"),
    "mfa_authenticate": PUBLIC,
    "mfa_reauthenticate": SIGNED_IN,
    "mfa_activate_totp": SIGNED_IN,
    "mfa_deactivate_totp": SIGNED_IN,
    "mfa_view_recovery_codes": SIGNED_IN.by("get"),
    "mfa_generate_recovery_codes": SIGNED_IN,
    "mfa_download_recovery_codes": SIGNED_IN.by("get"),
    "usersessions_list": SIGNED_IN,
    # Areas, accounts, audit
    "area_list": ADMIN.by("get"),
    "area_detail": ADMIN.of(lambda at: {"code": at.grid.code}),
    "grid_new": ADMIN.of(lambda at: {"code": at.community.code}),
    "people_list": ADMIN.by("get"),
    "person_new": ADMIN,
    "proposal_list": ADMIN.by("get"),
    "proposal_detail": ADMIN.of(lambda at: {"key": at.proposal.key}).by("get"),
    "proposal_approve": ADMIN.of(lambda at: {"key": at.proposal.key}).by("post"),
    "proposal_refuse": ADMIN.of(lambda at: {"key": at.proposal.key}).by("post"),
    "unconfirmed_list": ADMIN,
    "person_change": ADMIN.of(lambda at: {"key": at.account.key}),
    "person_deactivate": ADMIN.of(lambda at: {"key": at.account.key}).by("post"),
    "person_reactivate": ADMIN.of(lambda at: {"key": at.account.key}).by("post"),
    "person_reset": ADMIN.of(lambda at: {"key": at.account.key}).by("post"),
    "audit_list": AUDIT.by("get"),
    "audit_export": AUDIT,
    # Residents
    "resident_list": FIELD,
    "resident_new": FIELD,
    "resident_detail": FIELD.of(lambda at: {"key": at.resident.key}).by("get"),
    "resident_access_log": SUPERVISORS.of(lambda at: {"key": at.resident.key}).by("get"),
    "resident_change": FIELD.of(lambda at: {"key": at.resident.key}),
    "resident_move": FIELD.of(lambda at: {"key": at.resident.key}),
    "resident_leave": FIELD.of(lambda at: {"key": at.resident.key}),
    "resident_death": FIELD.of(lambda at: {"key": at.resident.key}),
    "resident_return": FIELD.of(lambda at: {"key": at.resident.key}),
    "resident_handover": FIELD.of(lambda at: {"key": at.resident.key}),
    "handover_list": FIELD.by("get"),
    "handover_accept": SUPERVISORS.of(lambda at: {"key": at.coming.key}),
    "handover_refuse": SUPERVISORS.of(lambda at: {"key": at.coming.key}),
    "handover_withdraw": FIELD.of(lambda at: {"key": at.going.key}).by("post"),
    "duplicate_list": SUPERVISORS.by("get"),
    "duplicate_of": SUPERVISORS.of(lambda at: {"key": at.resident.key}),
    "duplicate_compare": SUPERVISORS.of(
        lambda at: {"kept": at.resident.key, "merged": at.other.key}
    ),
    "duplicate_apart": SUPERVISORS.of(
        lambda at: {"kept": at.resident.key, "merged": at.other.key}
    ).by("post"),
    "undo_merge": SUPERVISORS.of(lambda at: {"key": at.merge.key}).by("post"),
    "undo_moves": FIELD.of(lambda at: {"keys": str(at.move.key)}).by("post"),
    "resident_uncover": FIELD.of(lambda at: {"key": at.resident.key, "field": "phone"}),
    "household_detail": FIELD.of(lambda at: {"key": at.household.key}).by("get"),
    # Key people
    "key_people": FIELD.by("get"),
    "key_people_changes": FIELD.by("get"),
    "key_standard": SUPERVISORS,
    "health_file": FIELD.of(lambda at: {"key": at.resident.key}).by("get"),
    "health_file_act": FIELD.of(lambda at: {"key": at.resident.key, "act": "dose"}).by("post"),
    "dose_withdraw": FIELD.of(lambda at: {"key": at.dose.key}).by("post"),
    "need_list": FIELD.by("get"),
    "need_contact": FIELD.of(lambda at: {"key": at.need.key}).by("post"),
    # Whitelist workers
    "worker_list": FIELD.by("get"),
    "worker_new": FIELD.of(lambda at: {"key": at.resident.key}),
    "worker_detail": FIELD.of(lambda at: {"key": at.worker.key}).by("get"),
    "worker_act": FIELD.of(lambda at: {"key": at.worker.key, "act": "end"}).by("post"),
    "gate": PUBLIC,
    # Rosters
    "roster_list": SUPERVISORS.by("get"),
    "roster_new": SUPERVISORS,
    "roster_detail": SUPERVISORS.of(lambda at: {"key": at.roster.key}).by("get"),
    "roster_columns": SUPERVISORS.of(lambda at: {"key": at.roster.key}),
    "roster_progress": SUPERVISORS.of(lambda at: {"key": at.roster.key}).by("get"),
    "roster_mend": SUPERVISORS.of(lambda at: {"key": at.roster.key}).by("get"),
    "roster_apply": SUPERVISORS.of(lambda at: {"key": at.roster.key}).by("post"),
    "roster_undo": SUPERVISORS.of(lambda at: {"key": at.roster.key}).by("post"),
    "roster_discard": SUPERVISORS.of(lambda at: {"key": at.roster.key}).by("post"),
    "opening_list": FIELD.by("get"),
    "opening_new": FIELD,
    "opening_end": replace(
        FIELD.of(lambda at: {"key": opening_in(at).key}).by("post"),
        not_there_for=frozenset({STAFF}),  # but for their own
    ),
    "opening_seen": SUPERVISORS.of(lambda at: {"key": opening_in(at).key}).by("post"),
    # Arrivals, cases, releases
    "today": GRID_STAFF.by("get"),
    "arrival_new": FIELD,
    "arrival_decision": FIELD.by("post"),
    "arrival_lookup": FIELD.by("post"),
    "origin_search": FIELD.by("get"),
    "arrival_saved": FIELD.of(lambda at: {"key": at.arrival.key}).by("get"),
    "arrival_undo": FIELD.of(lambda at: {"key": at.arrival.key}).by("post"),
    "arrival_correct": FIELD.of(lambda at: {"key": at.arrival.key}),
    "fact_correct": FIELD.of(lambda at: {"kind": "case", "ref": str(at.case.key)}),
    "case_list": FIELD.by("get"),
    "case_detail": FIELD.of(lambda at: {"key": at.case.key}).by("get"),
    "undo_contacts": FIELD.of(lambda at: {"key": at.case.key}).by("post"),
    "case_uncover": FIELD.of(lambda at: {"key": at.case.key}).by("post"),
    "case_act": FIELD.of(lambda at: {"key": at.case.key, "act": "note"}).by("post"),
    "undo_sample": FIELD.of(lambda at: {"key": at.result.sample.key}).by("post"),
    "undo_result": FIELD.of(lambda at: {"pk": at.result.pk}).by("post"),
    "undo_event": FIELD.of(lambda at: {"pk": at.event.pk}).by("post"),
    "awaited_list": FIELD.by("get"),
    "sample_result": FIELD.of(lambda at: {"key": at.result.sample.key}),
    "sample_check": FIELD.of(lambda at: {"key": at.result.sample.key}).by("post"),
    "todo_list": SUPERVISORS.by("get"),
    "todo_detail": FIELD.of(lambda at: {"key": at.todo.key}),
    "undo_todo": FIELD.of(lambda at: {"key": at.todo.key}).by("post"),
    "release_list": FIELD.by("get"),
    "release_confirm": FIELD.by("post"),
    "arrival_list": FIELD.by("get"),
    "dashboard": SUPERVISORS.by("get"),
    # Policy
    "document_list": SIGNED_IN.by("get"),
    "policy_desk": ADMIN.by("get"),
    "escalation_list": Page(frozenset({SUPERVISOR, ADMINISTRATOR})).by("get"),
    "justify": SUPERVISORS.of(lambda at: {"pk": at.activation.pk}).by("post"),
    "client_list": TOP,
    "client_revoke": TOP.of_all(lambda at: {"pk": api_client().pk}).by("post"),
    "calculator": SIGNED_IN.by("get"),
    "door": SIGNED_IN.by("get"),
    "local_outbreak": Page(frozenset({SUPERVISOR, ADMINISTRATOR}))
    .of(lambda at: {"code": at.community.code})
    .by("post"),
    "comparison": SIGNED_IN.by("get"),
    "law_at": SIGNED_IN.by("get"),
    "subject_detail": SIGNED_IN.of_all(lambda at: {"subject": "close_contacts"}).by("get"),
    "document_detail": SIGNED_IN.of_all(lambda at: {"document": "yingkou-2022-11"}).by("get"),
    "document_examples": SIGNED_IN.of_all(lambda at: {"document": "hequ-2022-58"}).by("get"),
    "document_file": SIGNED_IN.of_all(lambda at: {"document": "yingkou-2022-11"}).by("get"),
    "draft_list": ADMIN,
    "draft_detail": ADMIN.of_all(lambda at: {"pk": waiting_draft().pk}).by("get"),
    "draft_file": ADMIN.of_all(lambda at: {"pk": waiting_draft().pk}).by("get"),
    "draft_settle": ADMIN.of_all(lambda at: {"pk": waiting_draft().pk}).by("post"),
    "activation_list": ADMIN.by("get"),
    "activation_new": ADMIN,
    "activation_history": ADMIN.of(lambda at: {"code": at.community.code}).by("get"),
    "activation_detail": OVER.of(lambda at: {"pk": at.activation.pk}).by("get"),
    "activation_preview": OVER.of(lambda at: {"pk": at.activation.pk}).by("get"),
    "activation_people": OVER.of(lambda at: {"pk": at.activation.pk}).by("get"),
    "activation_progress": OVER.of(lambda at: {"pk": at.activation.pk}).by("get"),
    "activation_choose": ADMIN.of(lambda at: {"pk": at.activation.pk}).by("post"),
    "activation_approve": ADMIN.of(lambda at: {"pk": at.activation.pk}).by("post"),
    "activation_withdraw": ADMIN.of(lambda at: {"pk": at.activation.pk}).by("post"),
    # The questions of programs
    "api-root": NOBODY.by("get"),
    "openapi-json": PUBLIC.by("get"),
    "ask": WITH_KEY.by("post"),
    # Exports
    "export_list": SIGNED_IN.by("get"),
    "export_new": FIELD.of_all(lambda at: {"what": "residents"}),
    "export_ask": FIELD.of_all(lambda at: {"what": "cases"}),
    "export_file": TAKERS.by("get"),
    "export_fetch": TAKERS.by("post"),
    "export_requests": SIGNED_IN.by("get"),
    "export_request": SIGNED_IN.of(lambda at: {"key": at.asked.key}).by("get"),
    "export_approve": OVER.of(lambda at: {"key": at.asked.key}).by("post"),
    "export_refuse": OVER.of(lambda at: {"key": at.asked.key}).by("post"),
    "export_withdraw": FIELD.of(lambda at: {"key": at.asked.key}).by("post"),
    "export_take": FIELD.of(lambda at: {"key": at.asked.key}).by("post"),
    # A person's own data, the end of an outbreak
    "own_data": SUPERVISORS.of(lambda at: {"key": at.resident.key}),
    "closing_list": OVER.by("get"),
    "closing_new": OVER,
    "closing_detail": OVER.of(lambda at: {"key": at.closing.key}).by("get"),
    "closing_reopen": OVER.of(lambda at: {"key": at.closing.key}).by("post"),
    "purge_ask": OVER.of(lambda at: {"key": at.closing.key}).by("post"),
    "purge_approve": OVER.of(lambda at: {"key": at.purge.key}).by("post"),
    "purge_refuse": OVER.of(lambda at: {"key": at.purge.key}).by("post"),
    "purge_progress": OVER.of(lambda at: {"key": at.purge.key}).by("get"),
    "retention_term": ADMIN,
    "purge_certificate": PUBLIC.of_all(lambda at: {"key": at.certified.key}).by("get"),
    "purge_certificate_file": PUBLIC.of_all(lambda at: {"key": at.certified.key}).by("get"),
    # Portal
    "home": SIGNED_IN.by("get"),
    "demo_day": SIGNED_IN,
    # Reminders
    "inbox": FIELD.by("get"),
    "inbox_read": FIELD.by("post"),
    "message_read": FIELD.of(lambda at: {"key": at.message.key}).by("post"),
    "change_list": FIELD.by("get"),
    "changes_tick": FIELD.by("post"),
    "undelivered": SUPERVISORS.by("get"),
    "message_retry": SUPERVISORS.of(lambda at: {"key": at.undelivered.key}).by("post"),
}

# Pages of allauth that answer 404 where no second factor is set up.
WITHOUT_A_FACTOR = {
    "mfa_deactivate_totp",
    "mfa_view_recovery_codes",
    "mfa_download_recovery_codes",
    "mfa_reauthenticate",
}
# Pages of the libraries, which answer other methods in their own way.
OF_OTHERS = {name for name in PAGES if name.startswith(("account_", "mfa_", "usersessions_"))}
# Pages that hold pseudonyms for those who see no people.
PSEUDONYMS = {"audit_list"}
CSRF_TOKEN = re.compile(r"[0-9A-Za-z]{64}")
ALL_METHODS = ("get", "post", "put", "patch", "delete")


def typed(at: Place) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return what people type about somebody: the page, its kwargs, the form."""
    person, number = at.resident, at.resident.number
    searches = [person.name, number, number[-4:], person.phone, f"1-{at.household.door}"]
    about = {"key": person.key}
    return [
        *(("resident_list", {}, {"text": text}) for text in searches),
        ("arrival_lookup", {}, {"document_type": "mainland_id", "number": number}),
        ("arrival_new", {}, {"resident": str(person.key), "key": str(at.arrival.key)}),
        ("arrival_decision", {}, {"resident": str(person.key)}),
        ("resident_new", {}, {"document_type": "mainland_id", "number": number, "name": "某某"}),
        ("resident_change", about, {"version": "1", "name": "某某", "phone": person.phone}),
        ("resident_uncover", {**about, "field": "phone"}, {"reason": "call"}),
        ("case_uncover", {"key": at.case.key}, {"field": "number", "reason": "call"}),
        ("case_act", {"key": at.case.key, "act": "note"}, {"note-text": "x", "note-version": "1"}),
        ("release_confirm", {}, {"case": str(at.case.key)}),
        *(
            ("export_new", {"what": what}, {"format": kind})
            for what in ("residents", "cases", "today", "key_people", "workers")
            for kind in ("xlsx", "csv")
        ),
    ]


TYPED = {
    *("resident_list", "resident_new", "resident_change", "resident_uncover"),
    *("arrival_lookup", "arrival_new", "arrival_decision"),
    *("case_uncover", "case_act", "release_confirm", "export_new"),
}
UNCOVERS = {"resident_uncover", "case_uncover"}


def patterns(resolver: URLResolver, above: str = "") -> Iterator[tuple[str, URLPattern, str]]:
    """Yield each URL pattern's name (its route where it has none), itself and its whole route."""
    for pattern in resolver.url_patterns:
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield pattern.name or route, pattern, route
        else:
            yield from patterns(pattern, route)


ROUTES = {name: route for name, _, route in patterns(get_resolver())}


def address(name: str, **kwargs: Any) -> str:
    return reverse(name, kwargs=kwargs) if kwargs else f"/{ROUTES[name]}"


def nowhere(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the kwargs of something that does not exist."""
    return {
        name: uuid4()
        if isinstance(value, UUID)
        else {"pk": 10**9, "code": "999999", "keys": str(uuid4())}.get(name, value)
        for name, value in kwargs.items()
    }


@dataclass(frozen=True)
class Answer:
    """What somebody got, whom the audit names for it, and how much the database was asked."""

    response: HttpResponse
    named: set[str]
    queries: int


def _last_entry() -> int:
    return AuditEntry.objects.aggregate(last=Max("pk"))["last"] or 0


@dataclass(frozen=True)
class Somebody:
    """Who asks, and the places that they answer for."""

    called: str
    user: User | None
    places: frozenset[str]
    cookies: str = ""

    @property
    def role(self) -> Role | None:
        return Role(self.user.role) if self.user and self.user.is_active else None

    def sees(self, place: Place) -> bool:
        return self.role in {STAFF, SUPERVISOR} and place.name in self.places

    def ask(self, method: str, url: str, data: dict[str, Any] | None = None) -> Answer:
        """Return the answer; whatever was done is undone."""
        client = Client(raise_request_exception=True)
        client.cookies.load(self.cookies)
        with transaction.atomic():
            last = _last_entry()
            with CaptureQueriesContext(connection) as asked:
                response: HttpResponse = getattr(client, method)(url, data or {})
            entries = AuditEntry.objects.filter(pk__gt=last) if _last_entry() > last else []
            named = {str(key) for entry in entries for key in entry.shown}
            named |= {entry.subject.partition(":")[2] for entry in entries}
            transaction.set_rollback(True)
        cache.clear()
        return Answer(response, named, len(asked))


@dataclass(frozen=True)
class World:
    """Two places that know nothing of each other, and everybody who may ask."""

    here: Place
    there: Place
    people: list[Somebody]

    @classmethod
    def make(cls) -> "World":
        here = Place.make("本区", county="210800", family="龘", door="H7731", phone="+86139444401")
        there = Place.make(
            "外区", county="210811", family="靐", door="T8842", phone="+86139555502"
        )
        street = Area.objects.get_parent(here.community)
        make_grid()  # the tree of what pages make later
        moved = make_user(STAFF, here.grid)
        closed = make_user(STAFF, here.grid)
        ours, theirs = frozenset({here.name}), frozenset({there.name})
        people = [
            Somebody("nobody", None, frozenset()),
            Somebody("grid staff", make_user(STAFF, here.grid), ours),
            Somebody("next grid", make_user(STAFF, make_grid(here.community)), frozenset()),
            Somebody("other grid", make_user(STAFF, there.grid), theirs),
            Somebody("community", make_user(SUPERVISOR, here.community), ours),
            Somebody("other community", make_user(SUPERVISOR, there.community), theirs),
            Somebody("street", make_user(SUPERVISOR, street), ours),
            Somebody("administrator", make_user(ADMINISTRATOR, here.community), ours),
            Somebody("other administrator", make_user(ADMINISTRATOR, there.community), theirs),
            Somebody(
                "administrator of the whole",
                make_user(ADMINISTRATOR, *Area.objects.filter(depth=1)),
                ours | theirs,
            ),
            Somebody("auditor", make_user(AUDITOR, here.community), ours),
            Somebody("moved yesterday", moved, theirs),
            Somebody("account closed", closed, frozenset()),
        ]
        people = [replace(one, cookies=signed_in(one.user)) for one in people]
        moved.areas.set([there.grid])  # both signed in before this
        User.objects.filter(pk=closed.pk).update(is_active=False)
        closed.is_active = False
        return cls(here, there, people)


def signed_in(user: User | None) -> str:
    """Return the cookies of somebody's session."""
    client = Client()
    if user:
        client.force_login(user)
    return client.cookies.output(header="", sep=";")


@pytest.fixture(autouse=True)
def known_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no page ask anew for documents because a second has passed: questions are counted."""
    monkeypatch.setattr("policy.services.FRESH_FOR_SECONDS", math.inf)


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[World]:
    """Make everything once; all of it goes again."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield World.make()
        transaction.set_rollback(True)


def leads_to_sign_in(response: HttpResponse) -> bool:
    return response.status_code == 302 and response.headers["Location"].startswith(
        reverse("account_login")
    )


def lets_in(name: str, response: HttpResponse) -> bool:
    expected = {200, 302, 400, 422}
    if name in WITHOUT_A_FACTOR:
        expected.add(404)
    return response.status_code in expected and not leads_to_sign_in(response)


def everything(response: HttpResponse) -> str:
    """Return all that an answer holds: headers, body, what is in a file."""
    body = b"".join(response) if response.streaming else response.content
    if body.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(body)) as packed:
            body = b"".join(packed.read(name) for name in packed.namelist())
    return f"{response.headers}{response.cookies}{body.decode()}"


def check_answer(world: World, one: Somebody, name: str, url: str, answer: Answer) -> None:
    """Fail when an answer holds what this person may not see, or what nobody wrote down."""
    text = everything(answer.response).replace(url, "")
    for place in (world.here, world.there):
        leaked = {secret for secret in place.secrets if secret in text}
        shown = {sign for sign in place.signs if sign in text}
        if not one.sees(place):
            if name in PSEUDONYMS:
                shown -= {str(place.resident.key), str(place.household.key)}
            assert not leaked | shown, (one.called, url, leaked, shown)
        elif name not in UNCOVERS:
            assert not leaked, (one.called, url, leaked)
        if any(sign.endswith("*") for sign in shown):
            assert str(place.resident.key) in answer.named, (one.called, url, "not in the audit")


def test_every_page_is_in_the_table() -> None:
    assert set(ROUTES) == set(PAGES)


def pages(*, public: bool) -> list[str]:
    # The worker's health needs a worker; it has tests of its own.
    known = set(PAGES) & set(ROUTES) - {"healthz/worker"}
    return sorted(name for name in known if (PAGES[name].roles is None) == public)


@pytest.mark.parametrize("name", pages(public=True))
def test_a_public_page_asks_nobody_to_sign_in(name: str, world: World) -> None:
    url = address(name, **PAGES[name].kwargs(world.here))
    for one, method in product(world.people, PAGES[name].methods):
        answer = one.ask(method, url)
        check_answer(world, one, name, url, answer)
        if one.user is None:
            answered = answer.response.status_code
            expected = PAGES[name].answers
            assert answered == expected or (answered == 302 and expected == 200)


@pytest.mark.parametrize("name", pages(public=False))
def test_a_page_opens_for_its_roles_in_their_own_place_only(
    name: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    page = PAGES[name]
    roles = page.roles or frozenset()
    own = page.about is not None and not page.everywhere

    kwargs = page.kwargs(world.here)
    url, missing = address(name, **kwargs), address(name, **nowhere(kwargs))
    for one, method in product(world.people, page.methods):
        answer = one.ask(method, url)
        check_answer(world, one, name, url, answer)
        if one.role is None:
            assert leads_to_sign_in(answer.response)
        elif one.role not in roles or (page.top and not (one.user and one.user.is_top)):
            assert answer.response.status_code == 403
        elif own and (world.here.name not in one.places or one.role in page.not_there_for):
            assert_not_there(answer, url, one.ask(method, missing), missing)
        else:
            assert lets_in(name, answer.response), (one.called, method)
    others = set() if name in OF_OTHERS else set(ALL_METHODS) - set(page.methods)
    ours = (one for one in world.people if one.role in roles and world.here.name in one.places)
    inside = next(one for one in ours if not page.top or (one.user and one.user.is_top))
    for method in others:
        assert inside.ask(method, url).response.status_code == 405
    assert_not_logged(world, caplog)


def assert_not_there(first: Answer, url: str, second: Answer, missing: str) -> None:
    """Fail when "not yours" differs from "not there", in words or in work."""
    assert first.response.status_code == second.response.status_code == 404
    assert said(first.response, url) == said(second.response, missing)
    assert first.queries == second.queries


def said(response: HttpResponse, url: str) -> str:
    """Return a page without what differs by request: the token of its forms, its address."""
    return CSRF_TOKEN.sub("", response.content.decode()).replace(url, "")


@pytest.mark.parametrize("name", sorted(TYPED))
def test_what_is_typed_about_somebody_finds_nobody_elsewhere(
    name: str, world: World, caplog: pytest.LogCaptureFixture
) -> None:
    forms = [form for form in typed(world.here) if form[0] == name]
    for (_, kwargs, data), one in product(forms, world.people):
        url = address(name, **kwargs)
        answer = one.ask("post", url, data)
        for value in data.values():  # what was typed stands in the form again
            text = answer.response.content.replace(value.encode(), b"")
            answer.response.content = text
        check_answer(world, one, name, url, answer)
    assert_not_logged(world, caplog)


def assert_not_logged(world: World, caplog: pytest.LogCaptureFixture) -> None:
    for secret in (*world.here.secrets, *world.there.secrets):
        assert secret not in caplog.text


def test_nothing_personal_stands_in_cache_or_broker(world: World) -> None:
    broker = servers.client(settings.REDIS_URL)
    people = [one for one in world.people if one.role]
    client = Client()
    for one in people:
        client.cookies.load(one.cookies)
        for page in ("today", "case_list", "dashboard", "inbox"):
            client.get(reverse(page))
    held = [broker.dump(key) or b"" for key in broker.scan_iter(count=1_000)]
    for secret in (*world.here.secrets, *world.there.secrets):
        assert not [value for value in held if secret.encode() in value]


def document() -> str:
    """Return docs/access.md: who may do what to whose records."""
    views = {name: pattern.callback for name, pattern, _ in patterns(get_resolver())}
    rows = [
        "| address | does | by | who | whose |",
        "|---|---|---|---|---|",
        *(_row(name, PAGES[name], views[name]) for name in PAGES),
    ]
    return HEAD + "\n".join(rows) + "\n" + section()


HEAD = """# Who may open what

Made from the table in `tests/portal/test_access.py` by `python -m tests.portal.access`. Tests ask
for each of these addresses by each role, for what is theirs and what is not, with each method, and
search every answer, file, header and log line for the names, numbers, phones and notes of others.

- **whose**: *own*: of the areas that somebody answers for; anything else is not there (404, the
  same page as for what does not exist). *all*: the same for everybody who may open it.
- Grid staff answer for grids, supervisors for a community, a street or a district. Administrators
  see no residents, auditors pseudonyms.
- Without a session every page but the public ones leads to the sign-in; a role that may not open
  a page gets 403; a method that a page does not know, 405.

"""


def _row(name: str, page: Page, view: Any) -> str:
    does = (inspect.getdoc(getattr(view, "view_class", view)) or "").split("\n")[0]
    if not (view.__module__ or "").startswith(OWN):
        does = ""
    roles = page.roles
    if roles is None:
        who = {401: "programs with a key", 404: "nobody"}.get(page.answers, "everybody")
    else:
        who = (
            "Administrator of the whole"
            if page.top
            else "signed in"
            if roles == frozenset(Role)
            else ", ".join(sorted(str(role.label) for role in roles))
        )
    whose = "own" if page.about and not page.everywhere else "all" if page.everywhere else ""
    if not whose and roles and roles <= {STAFF, SUPERVISOR}:
        whose = "own"
    methods = ", ".join(method.upper() for method in page.methods)
    return f"| `/{ROUTES[name]}` | {does} | {methods} | {who} | {whose} |"


OWN = ("accounts", "policy", "portal", "quarantine", "reminders", "residents", "testing")
DOCUMENT = Path(settings.BASE_DIR) / "docs" / "access.md"


def test_the_document_says_the_same() -> None:
    with translation.override("en"):
        assert DOCUMENT.read_text(encoding="utf-8") == document()
