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

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Area, Role, User
from policy import clients, drafts
from policy.models import Activation, ApiClient, StoredDocument
from quarantine.models import Arrival, Case, Event
from reminders.models import Message
from residents.models import Dose, Household, Need, Resident, Worker
from testing.models import NATResult
from tests.factories import (
    NOW,
    make_case,
    make_dose,
    make_grid,
    make_need,
    make_place,
    make_resident,
    make_result,
    make_user,
    make_worker,
    put_in_force,
)
from tests.policy.test_drafts import NOTICE

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

    @classmethod
    def make(cls) -> "Place":
        grid = make_place("yingkou-2022-11", "210800")
        resident = make_resident(grid=grid)
        case = make_case(grid, resident=resident)
        recorded = make_result(case, NOW.date())
        event = Event.objects.filter(case=case).first()
        assert event is not None
        assert case.arrival is not None
        return cls(
            community=Area.objects.get_parent(grid),
            grid=grid,
            household=resident.household,
            resident=resident,
            account=make_user(STAFF, grid),
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


def people_of(grid: Area) -> dict[Role, User]:
    """Make one of each role: the grid's own worker, and the others for its community."""
    community = Area.objects.get_parent(grid)
    return {role: make_user(role, grid if role == STAFF else community) for role in Role}


@dataclass(frozen=True)
class Page:
    """Who may open a page, and what it is about; `roles` is None where nobody signs in."""

    roles: frozenset[Role] | None
    about: Callable[[Place], dict[str, Any]] | None = None
    methods: tuple[str, ...] = ("get", "post")
    answers: int = 200  # where nobody signs in
    everywhere: bool = False  # the same for whoever may open it, wherever they work

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
    "own_email": SIGNED_IN,
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
    "person_change": ADMIN.of(lambda at: {"key": at.account.key}),
    "person_deactivate": ADMIN.of(lambda at: {"key": at.account.key}).by("post"),
    "person_reactivate": ADMIN.of(lambda at: {"key": at.account.key}).by("post"),
    "person_reset": ADMIN.of(lambda at: {"key": at.account.key}).by("post"),
    "audit_list": AUDIT.by("get"),
    # Residents
    "resident_list": FIELD,
    "resident_new": FIELD,
    "resident_detail": FIELD.of(lambda at: {"key": at.resident.key}).by("get"),
    "resident_looks": SUPERVISORS.of(lambda at: {"key": at.resident.key}).by("get"),
    "resident_change": FIELD.of(lambda at: {"key": at.resident.key}),
    "resident_move": FIELD.of(lambda at: {"key": at.resident.key}),
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
    # Arrivals, cases, releases
    "today": GRID_STAFF.by("get"),
    "arrival_new": FIELD,
    "arrival_decision": FIELD.by("post"),
    "arrival_lookup": FIELD.by("post"),
    "origin_search": FIELD.by("get"),
    "arrival_saved": FIELD.of(lambda at: {"key": at.arrival.key}).by("get"),
    "arrival_undo": FIELD.of(lambda at: {"key": at.arrival.key}).by("post"),
    "case_list": FIELD.by("get"),
    "case_detail": FIELD.of(lambda at: {"key": at.case.key}).by("get"),
    "case_uncover": FIELD.of(lambda at: {"key": at.case.key}).by("post"),
    "case_act": FIELD.of(lambda at: {"key": at.case.key, "act": "note"}).by("post"),
    "undo_sample": FIELD.of(lambda at: {"key": at.result.sample.key}).by("post"),
    "undo_result": FIELD.of(lambda at: {"pk": at.result.pk}).by("post"),
    "undo_event": FIELD.of(lambda at: {"pk": at.event.pk}).by("post"),
    "release_list": FIELD.by("get"),
    "release_confirm": FIELD.by("post"),
    "arrival_list": FIELD.by("get"),
    "dashboard": SUPERVISORS.by("get"),
    # Policy
    "document_list": SIGNED_IN.by("get"),
    "policy_desk": ADMIN.by("get"),
    "escalation_list": Page(frozenset({SUPERVISOR, ADMINISTRATOR})).by("get"),
    "justify": SUPERVISORS.of(lambda at: {"pk": at.activation.pk}).by("post"),
    "client_list": ADMIN,
    "client_revoke": ADMIN.of_all(lambda at: {"pk": api_client().pk}).by("post"),
    "calculator": SIGNED_IN.by("get"),
    "door": SIGNED_IN.by("get"),
    "local_outbreak": Page(frozenset({SUPERVISOR, ADMINISTRATOR}))
    .of(lambda at: {"code": at.community.code})
    .by("post"),
    "comparison": SIGNED_IN.by("get"),
    "law_at": SIGNED_IN.by("get"),
    "subject_detail": SIGNED_IN.of_all(lambda at: {"subject": "close_contacts"}).by("get"),
    "document_detail": SIGNED_IN.of_all(lambda at: {"document": "yingkou-2022-11"}).by("get"),
    "document_file": SIGNED_IN.of_all(lambda at: {"document": "yingkou-2022-11"}).by("get"),
    "draft_list": ADMIN,
    "draft_detail": ADMIN.of_all(lambda at: {"pk": waiting_draft().pk}).by("get"),
    "draft_settle": ADMIN.of_all(lambda at: {"pk": waiting_draft().pk}).by("post"),
    "activation_list": ADMIN.by("get"),
    "activation_new": ADMIN,
    "activation_history": ADMIN.of(lambda at: {"code": at.community.code}).by("get"),
    "activation_detail": ADMIN.of(lambda at: {"pk": at.activation.pk}).by("get"),
    "activation_approve": ADMIN.of(lambda at: {"pk": at.activation.pk}).by("post"),
    "activation_withdraw": ADMIN.of(lambda at: {"pk": at.activation.pk}).by("post"),
    # The questions of programs
    "api-root": NOBODY.by("get"),
    "openapi-json": PUBLIC.by("get"),
    "ask": WITH_KEY.by("post"),
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
CSRF_TOKEN = re.compile(r"[0-9A-Za-z]{64}")
ALL_METHODS = ("get", "post", "put", "patch", "delete")


def patterns(resolver: URLResolver, above: str = "") -> Iterator[tuple[str, str]]:
    """Yield the name of every URL pattern, its route where it has none, and the whole route."""
    for pattern in resolver.url_patterns:
        route = above + str(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield pattern.name or route, route
        else:
            yield from patterns(pattern, route)


ROUTES = dict(patterns(get_resolver()))


def address(name: str, **kwargs: Any) -> str:
    return reverse(name, kwargs=kwargs) if kwargs else f"/{ROUTES[name]}"


def nowhere(kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the kwargs of something that does not exist."""
    return {
        name: uuid4()
        if isinstance(value, UUID)
        else {"pk": 10**9, "code": "999999"}.get(name, value)
        for name, value in kwargs.items()
    }


def ask(user: User | None, method: str, url: str) -> HttpResponse:
    client = Client(raise_request_exception=True)
    if user:
        client.force_login(user)
    response: HttpResponse = getattr(client, method)(url)
    return response


def leads_to_sign_in(response: HttpResponse) -> bool:
    return response.status_code == 302 and response.headers["Location"].startswith(
        reverse("account_login")
    )


def lets_in(name: str, response: HttpResponse) -> bool:
    expected = {200, 302, 400, 422}
    if name in WITHOUT_A_FACTOR:
        expected.add(404)
    return response.status_code in expected and not leads_to_sign_in(response)


def test_every_page_is_in_the_table() -> None:
    assert set(ROUTES) == set(PAGES)


def pages(*, public: bool) -> list[str]:
    # The worker's health needs a worker; it has tests of its own.
    known = set(PAGES) & set(ROUTES) - {"healthz/worker"}
    return sorted(name for name in known if (PAGES[name].roles is None) == public)


@pytest.mark.django_db
@pytest.mark.parametrize("name", pages(public=True))
def test_a_public_page_asks_nobody_to_sign_in(name: str) -> None:
    for method in PAGES[name].methods:
        answered = ask(None, method, address(name)).status_code
        assert answered == PAGES[name].answers or (answered == 302 and PAGES[name].answers == 200)


@pytest.mark.django_db
@pytest.mark.parametrize("name", pages(public=False))
def test_a_page_opens_for_its_roles_in_their_own_place_only(name: str) -> None:
    page, here = PAGES[name], Place.make()
    roles = page.roles or frozenset()
    inside, outside = people_of(here.grid), people_of(make_grid())
    closed = make_user(STAFF, here.grid, is_active=False)
    url, missing = (
        address(name, **kwargs) for kwargs in (page.kwargs(here), nowhere(page.kwargs(here)))
    )
    foreign = roles if page.about and not page.everywhere else frozenset()

    for method in page.methods:
        for nobody in (None, closed):
            assert leads_to_sign_in(ask(nobody, method, url))
        for role in set(Role) - roles:
            assert {ask(of[role], method, url).status_code for of in (inside, outside)} == {403}
        for role in foreign:
            assert_not_there(outside[role], method, url, missing)
        for role in roles:
            assert lets_in(name, ask(inside[role], method, url)), (role, method)
    for method in set() if name in OF_OTHERS else set(ALL_METHODS) - set(page.methods):
        assert ask(inside[next(iter(roles))], method, url).status_code == 405, method


def assert_not_there(user: User, method: str, not_theirs: str, not_there: str) -> None:
    first, second = (ask(user, method, url) for url in (not_theirs, not_there))
    assert first.status_code == second.status_code == 404
    assert said(first, not_theirs) == said(second, not_there)


def said(response: HttpResponse, url: str) -> str:
    """Return a page without what differs by request: the token of its forms, its address."""
    return CSRF_TOKEN.sub("", response.content.decode()).replace(url, "")
