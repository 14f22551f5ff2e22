"""
The lists that may be taken as files: their filters, their columns, whom they show.

A list holds what its page shows, by the same conditions; who stands in it is masked in the same
way, unless two people agreed on more.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import QuerySet
from django.utils.dateparse import parse_date
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from accounts.auditing.models import AuditEntry
from accounts.exports.files import Stamp, dialling_format
from accounts.exports.models import ExportedList, Sensitive
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from common import clock
from common.days import is_day
from common.errors import RefusedError
from common.workbooks import Cell
from policy import words
from portal.owndata import file as owndata
from quarantine.cases.readiness import Readiness, readiness_of_each
from quarantine.cases.words import measure_of
from quarantine.lists.filters import CaseFilter
from quarantine.lists.worklist import DOOR_BY_DOOR, Work, WorkKind, cards_of
from quarantine.models import Case
from quarantine.workers import filters
from quarantine.workers.may_work import work_statuses_of
from residents.keypeople.lists import BANDS, Filter, KeyLists, key_lists, regimes_over
from residents.register.models import Resident
from residents.whitelist.models import Worker

T = TypeVar("T")
# The name of a filter, what it is called, what it may say: words, a pseudonym, or a day (None).
Choices = Mapping[str, Any] | re.Pattern[str] | None
Filters = Mapping[str, tuple[Any, Choices]]
AT_ONCE = 500
PSEUDONYM = re.compile(r"[\w.:-]{1,80}", re.ASCII)
PERSON = (
    pgettext_lazy("of a person", "Name"),
    gettext_lazy("Phone"),
    gettext_lazy("Number of the document"),
    gettext_lazy("Address"),
    gettext_lazy("Grid"),
)


# The columns that two people may agree to leave unmasked.
_SENSITIVE = dict(
    zip(
        (Sensitive.NAME, Sensitive.PHONE, Sensitive.NUMBER, Sensitive.ADDRESS),
        PERSON,
        strict=False,
    )
)


class PersonGoneError(RefusedError):
    """The person of a request is not in its area any more."""

    def __init__(self) -> None:
        super().__init__(_("This person is not registered in this area any more."))


@dataclass(frozen=True)
class ExportScope:
    """The scope of a list: its reader, area, moment and filters."""

    by: User
    area: Area | None
    at: datetime
    filters: Mapping[str, str] = field(default_factory=dict)
    unmasked: Collection[str] = ()

    @property
    def today(self) -> date:
        """Return the day."""
        return clock.day_of(self.at)

    def within(self, rows: "QuerySet[Any]", path: str = "grid__path") -> Any:
        """Return the rows that lie in the area; none without one."""
        return rows.filter(**{f"{path}__startswith": self.area.path}) if self.area else rows.none()


# Whom a row is about, and its cells.
Rows = Iterator[tuple[UUID | None, list[Cell]]]


@dataclass(frozen=True)
class ExportableList:
    """A list that may be taken as a file."""

    what: ExportedList
    page: str  # the name of its address
    headings: tuple[Any, ...]
    count: Callable[[ExportScope], int]
    rows: Callable[[ExportScope], Rows]
    filters: Callable[[], Filters] = dict
    roles: frozenset[Role] = SEES_PEOPLE
    about_people: bool = True
    # Makes the whole file of a request, where it is no table: content, rows, people.
    whole: Callable[[ExportScope, Stamp], tuple[bytes, int, list[UUID]]] | None = None

    def columns(self, unmasked: Collection[str]) -> list[tuple[str, bool]]:
        """Return the headings of a file, each with whether its cells are unmasked."""
        shown = {_SENSITIVE[Sensitive(word)] for word in unmasked}
        return [(str(heading), heading in shown) for heading in self.headings]

    def known_filters(self, query: Mapping[str, str]) -> dict[str, str]:
        """Return the filters of a query that this list knows, with valid values."""
        kept = {}
        for name, (_label, choices) in self.filters().items():
            value = query.get(name, "")
            if value and _is_choice(choices, value):
                kept[name] = value
        return kept

    def filters_in_words(self, filters: Mapping[str, str]) -> list[tuple[str, str]]:
        """Return the filters in words, as labels and values."""
        known = self.filters()
        return [
            (str(known[name][0]), _in_words(known[name][1], value))
            for name, value in filters.items()
            if name in known
        ]


def _is_choice(choices: Choices, value: str) -> bool:
    if isinstance(choices, re.Pattern):
        return bool(choices.fullmatch(value))
    return is_day(value) if choices is None else value in choices


def _in_words(choices: Choices, value: str) -> str:
    return str(choices.get(value, value)) if isinstance(choices, Mapping) else value


def _person(resident: Resident, scope: ExportScope) -> list[Cell]:
    """Return the cells on the identity of a resident."""
    unmasked = scope.unmasked
    home = resident.household
    return [
        resident.name if Sensitive.NAME in unmasked else resident.masked_name,
        dialling_format(resident.phone) if Sensitive.PHONE in unmasked else resident.masked_phone,
        resident.number if Sensitive.NUMBER in unmasked else resident.masked_number,
        home.address if Sensitive.ADDRESS in unmasked else str(home),
        resident.grid.name,
    ]


def _joined(names: Iterable[str]) -> str:
    return pgettext("joins names", ", ").join(names)


def _chunks(rows: "QuerySet[Any]") -> Iterator[list[Any]]:
    """Yield rows a few hundred at a time."""
    iterator = rows.iterator(chunk_size=AT_ONCE)
    while chunk := list(islice(iterator, AT_ONCE)):
        yield chunk


# Residents


def _residents(scope: ExportScope) -> Any:
    rows = scope.within(Resident.objects.visible_to(scope.by))
    return rows.exclude(gone_as="") if scope.filters.get("gone") else rows.here()


_GONE = [("", ""), *Resident.GoneAs.choices]
_OF_RESIDENT = [
    *("key", "name", "phone", "number", "document_type", "sex", "birth_date", "gone_as"),
    *("household__key", "household__unit", "household__door", "household__building__name"),
    "grid__name",
]


def _resident_rows(scope: ExportScope) -> Rows:
    rows = _residents(scope).select_related("household__building", "grid").only(*_OF_RESIDENT)
    # A choice's own display looks through all of them, for each row.
    sexes, kinds, departures = (
        {value: str(label) for value, label in choices}
        for choices in (Resident.Sex.choices, Resident.DocumentType.choices, _GONE)
    )
    for chunk in _chunks(rows.order_by("name_key", "pk")):
        for resident in chunk:
            yield (
                resident.key,
                [
                    *_person(resident, scope),
                    sexes[resident.sex],
                    resident.age(scope.today),
                    kinds[resident.document_type],
                    departures[resident.gone_as],
                ],
            )


# Cases, and what is due on them today


def _chosen(scope: ExportScope) -> CaseFilter:
    area = {"area": scope.area.code if scope.area else "-"}
    return CaseFilter({**scope.filters, **area}, user=scope.by, today=scope.today)


def _case_filters() -> Filters:
    return {
        name: (
            case_filter.label,
            dict(case_filter.extra["choices"]) if "choices" in case_filter.extra else None,
        )
        for name, case_filter in CaseFilter.base_filters.items()
        if name != "area"
    }


def _case_rows(scope: ExportScope) -> Rows:
    cases = _chosen(scope).qs.select_related(
        "plan__provision", "resident__household__building", "resident__grid"
    )
    for chunk in _chunks(cases.order_by("-pk")):
        near = readiness_of_each(chunk, today=scope.today)
        for case in chunk:
            yield case.resident.key, [*_person(case.resident, scope), *_case(case, near)]


def _case(case: Case, near: Mapping[int, Readiness]) -> list[Cell]:
    return [
        measure_of(case.plan),
        str(words.SUBJECTS.get(case.plan.subject, "")) if case.plan else "",
        case.day_1,
        None if case.closed_on else case.next_test_on,
        case.release_on,
        _state(case, near),
    ]


def _state(case: Case, near: Mapping[int, Readiness]) -> str:
    if case.closed_on:
        return str(case.get_closed_as_display())
    readiness = near.get(case.pk, Readiness.WAITING)
    waiting = readiness == Readiness.WAITING
    return pgettext("a case", "Open") if waiting else str(readiness.label)


def _work(scope: ExportScope) -> Any:
    cases = scope.within(Case.objects.visible_to(scope.by))
    return Work(cases=cases, today=scope.today).due(scope.filters.get("kind", ""))


def _today_rows(scope: ExportScope) -> Rows:
    cases = _work(scope).select_related(
        "plan__provision", "resident__household__building", "resident__grid"
    )
    for chunk in _chunks(cases.order_by(*DOOR_BY_DOOR, "pk")):
        near = readiness_of_each(chunk, today=scope.today)
        for card in cards_of(chunk, today=scope.today):
            due = [f"{task.kind.label} {task.day:%m-%d}" for task in card.due]
            yield (
                card.case.resident.key,
                [
                    *_person(card.case.resident, scope),
                    _joined(due),
                    *_case(card.case, near),
                ],
            )


# Key people


def _key_lists(scope: ExportScope) -> KeyLists:
    grids = scope.within(Area.objects.below(scope.by), "path").filter(level=Area.Level.GRID)
    residents = scope.within(Resident.objects.visible_to(scope.by).here())
    return key_lists(
        residents=residents, regimes=regimes_over(list(grids), at=scope.at), on=scope.today
    )


def _key_rows(scope: ExportScope) -> Rows:
    lists = _key_lists(scope)
    residents: Any = lists.residents_where(Filter.of(scope.filters).wants)
    rows = residents.select_related("household__building", "grid", "health_file").order_by(
        "born", "pk"
    )
    for chunk in _chunks(rows):
        for resident in chunk:
            placing = lists.of(resident)
            categories = [
                str(words.CATEGORIES[category]) for category in placing.listing.categories
            ]
            yield (
                resident.key,
                [
                    *_person(resident, scope),
                    resident.age(scope.today),
                    _joined(categories),
                    str(words.MARKS[placing.colour]) if placing.colour else "",
                    _("to vaccinate") if placing.to_vaccinate else "",
                ],
            )


def _key_filters() -> Filters:
    bands = {60: _("Aged 60 to 79"), 80: _("Aged 80 and older")}
    return {
        "category": (_("Category"), words.CATEGORIES),
        "colour": (_("Colour"), words.MARKS),
        "vaccination": (
            _("To encourage to vaccinate"),
            {str(band): bands[band] for band in BANDS},
        ),
    }


# Whitelist workers


def _workers(scope: ExportScope) -> Any:
    listed = scope.within(Worker.objects.visible_to(scope.by).listed(), "resident__grid__path")
    rows = filters.filter_workers(listed, scope.filters.get("show", ""), at=scope.at)
    post = scope.filters.get("post")
    return rows.filter(post=post) if post else rows


def _worker_rows(scope: ExportScope) -> Rows:
    rows = _workers(scope).select_related(
        "resident__household__building", "resident__grid", "resident__health_file"
    )
    for chunk in _chunks(rows.order_by("valid_until", "pk")):
        work_statuses = work_statuses_of(chunk, at=scope.at)
        for worker in chunk:
            work_status = work_statuses[worker.pk]
            yield (
                worker.resident.key,
                [
                    *_person(worker.resident, scope),
                    worker.get_post_display(),
                    worker.employer,
                    worker.valid_from,
                    worker.valid_until,
                    str(work_status.answer.label),
                    _moment(work_status.proof_until),
                ],
            )


# The audit


def _entries(scope: ExportScope) -> Any:
    day = parse_date(scope.filters.get("day", ""))
    return AuditEntry.objects.matching(day=day, about=scope.filters.get("about", ""))


def _audit_rows(scope: ExportScope) -> Rows:
    for chunk in _chunks(_entries(scope).order_by("-pk")):
        for entry in chunk:
            after = pgettext("after a label", ": ")
            detail = pgettext("joins details", "; ").join(
                f"{name}{after}{value}" for name, value in entry.detail.items()
            )
            yield (
                None,
                [
                    entry.pk,
                    _moment(entry.at, seconds=True),
                    str(entry.actor or _("the portal")),
                    _(entry.did),
                    entry.subject,
                    entry.reason,
                    detail,
                ],
            )


# A person's own data


def _own_data(scope: ExportScope, stamp: Stamp) -> tuple[bytes, int, list[UUID]]:
    """Return the file of one person; of nobody where they are not in the area any more."""
    people = scope.within(Resident.objects.visible_to(scope.by))
    resident = people.filter(key=scope.filters["person"]).first()
    if resident is None:
        raise PersonGoneError
    entries = owndata.entries_of(resident)
    data = owndata.gather(resident, at=scope.at)
    correcting = _(
        "Is something wrong? Say so to the community: details of the person are changed in the"
        " register, and facts of a measure are put right, with a reason and without deleting what"
        " was entered."
    )
    content = owndata.packed(data, line=stamp.line, correcting=correcting)
    return content, data.rows, [each.key for each in entries]


def _moment(at: datetime | None, *, seconds: bool = False) -> str:
    return date_format(localtime(at), "Y-m-d H:i:s" if seconds else "Y-m-d H:i") if at else ""


_DAY_1, _NEXT = gettext_lazy("Day 1"), gettext_lazy("Next test")
_RELEASE = pgettext_lazy("the day", "Release")
_OF_CASE = (
    gettext_lazy("Measure"),
    pgettext_lazy("of a measure", "Reason"),
    *(_DAY_1, _NEXT, _RELEASE),
    gettext_lazy("State"),
)

LISTS = {
    listing.what.value: listing
    for listing in (
        ExportableList(
            ExportedList.RESIDENTS,
            "resident_list",
            (
                *PERSON,
                gettext_lazy("Sex"),
                gettext_lazy("Age"),
                gettext_lazy("Kind of document"),
                gettext_lazy("Gone"),
            ),
            lambda scope: _residents(scope).count(),
            _resident_rows,
            lambda: {"gone": (_("Gone"), {"1": _("moved away or died")})},
        ),
        ExportableList(
            ExportedList.CASES,
            "case_list",
            (*PERSON, *_OF_CASE),
            lambda scope: _chosen(scope).qs.count(),
            _case_rows,
            _case_filters,
        ),
        ExportableList(
            ExportedList.TODAY,
            "today",
            (*PERSON, pgettext_lazy("work", "Due"), *_OF_CASE),
            lambda scope: _work(scope).count(),
            _today_rows,
            lambda: {"kind": (pgettext_lazy("work", "Due"), dict(WorkKind.choices))},
        ),
        ExportableList(
            ExportedList.KEY_PEOPLE,
            "key_people",
            (
                *PERSON,
                gettext_lazy("Age"),
                gettext_lazy("Listed as"),
                gettext_lazy("Colour"),
                gettext_lazy("Vaccination"),
            ),
            lambda scope: _key_lists(scope).count(Filter.of(scope.filters).wants),
            _key_rows,
            _key_filters,
        ),
        ExportableList(
            ExportedList.WORKERS,
            "worker_list",
            (
                *PERSON,
                gettext_lazy("Post"),
                gettext_lazy("Employer"),
                gettext_lazy("Valid from"),
                gettext_lazy("Valid until"),
                gettext_lazy("Now"),
                gettext_lazy("Proof until"),
            ),
            lambda scope: _workers(scope).count(),
            _worker_rows,
            lambda: {
                "show": (_("Which workers"), {k: v for k, v in filters.SHOWS.items() if k}),
                "post": (_("Post"), words.WHITELIST_POSTS),
            },
        ),
        ExportableList(
            ExportedList.AUDIT,
            "audit_list",
            (
                gettext_lazy("Number of the entry"),
                gettext_lazy("When"),
                pgettext_lazy("the audit", "Who"),
                gettext_lazy("Action"),
                gettext_lazy("Subject"),
                pgettext_lazy("why", "Reason"),
                gettext_lazy("Details"),
            ),
            lambda scope: _entries(scope).count(),
            _audit_rows,
            lambda: {"day": (_("Day"), None), "about": (_("About or by (pseudonym)"), PSEUDONYM)},
            frozenset({Role.AUDITOR}),
            about_people=False,
        ),
        ExportableList(
            ExportedList.OWN_DATA,
            "resident_list",
            (),
            lambda scope: 1,
            lambda scope: iter(()),
            lambda: {"person": (_("Person (pseudonym)"), PSEUDONYM)},
            frozenset({Role.SUPERVISOR}),
            whole=_own_data,
        ),
    )
}
