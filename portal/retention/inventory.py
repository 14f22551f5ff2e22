"""
What the portal holds of people: every table that leads to a resident, and what becomes of it.

One inventory serves the file of a person's own data and the purge of an outbreak; a test asks that
every table from which a resident can be reached stands here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy

from accounts.auditing.models import AuditEntry, AuditWords
from accounts.exports.models import ExportFile
from quarantine.models import Arrival, Case, Event
from quarantine.todo.models import Todo
from reminders.models import Change, Message, Reading
from residents.closings.models import Closing, Frozen
from residents.duplicates.models import Merge, NotSame
from residents.keypeople.models import Contact, Dose, HealthFile, Need
from residents.openings.models import Opening
from residents.register.models import Household, Resident
from residents.relocation.models import Handover, Move
from residents.rosters.models import RosterFile, RosterRow, StagedResident
from residents.whitelist.models import DutyEntry, GateCode, Worker
from testing.models import NATResult, Sample


class Fate(StrEnum):
    """What the purge of an outbreak does with the rows of a table."""

    PURGED = "purged"
    STAYS = "stays"  # the register, key people and the white list: not of the outbreak


@dataclass(frozen=True)
class Holding:
    """
    A table with rows about people.

    `people` are the lookups that lead to a resident, `number` and `last` the number of a row
    (or of what it hangs on) and the column of a closing that bounds it; `at` bounds by time what
    is not frozen.
    """

    model: type[models.Model]
    people: tuple[str, ...]
    fate: Fate = Fate.STAYS
    last: tuple[tuple[str, str], ...] = ()  # (lookup of the number, column of the closing)
    at: str = ""
    by_key: bool = False  # the lookups hold keys of residents, not rows
    area: str = ""  # the lookup of the path of an area all of whose rows go, whoever they name

    @property
    def label(self) -> str:
        """Return the name of the table in files, counts and certificates."""
        return self.model._meta.db_table

    @property
    def rows(self) -> "QuerySet[Any]":
        """Return all rows of the table."""
        return self.model._base_manager.all()

    def of_person(self, resident: Resident) -> "QuerySet[Any]":
        """Return the rows about a person."""
        wanted = resident.key if self.by_key else resident.pk
        about = Q(pk__in=[])
        for lookup in self.people:
            about |= Q(**{lookup: wanted})
        return self.rows.filter(about).distinct()

    def of_closing(self, closing: Closing, *, kept: bool = True) -> "QuerySet[Any]":
        """
        Return the rows that a purge of a closed outbreak removes.

        Without `kept`, not those of people whose data something else rests on.
        """
        frozen = Frozen.objects.filter(closing=closing)
        if not kept:
            frozen = frozen.filter(held=False)
        people = frozen.values("resident__key" if self.by_key else "resident")
        about = self._about(people, closing)
        if self.area:
            below = {f"{self.area}__startswith": closing.area.path}
            about |= Q(**below, **{f"{self.at}__lte": closing.closed_at})
        return self.rows.filter(about)

    def of_people(self, people: "QuerySet[Any]", closing: Closing) -> "QuerySet[Any]":
        """Return the rows about some people (ids, or keys) that belong to an outbreak."""
        return self.rows.filter(self._about(people, closing))

    def _about(self, people: "QuerySet[Any]", closing: Closing) -> Q:
        about = Q(pk__in=[])
        for lookup in self.people:
            bound: dict[str, Any] = {f"{lookup}__in": people}
            if last := self._last(lookup):
                bound[f"{last[0]}__lte"] = getattr(closing, last[1])
            if self.at:
                bound[f"{self.at}__lte"] = closing.closed_at
            about |= Q(**bound)
        return about

    def _last(self, lookup: str) -> tuple[str, str] | None:
        """Return the bound that belongs to a lookup: both begin alike."""
        head = lookup.removesuffix("resident")
        return next((each for each in self.last if each[0].removesuffix("pk") == head), None)


def _purged(
    model: type[models.Model],
    *people: str,
    at: str = "",
    by_key: bool = False,
    area: str = "",
    **last: str,
) -> Holding:
    bounds = tuple((number, f"last_{column}") for number, column in last.items())
    return Holding(model, people, Fate.PURGED, bounds, at, by_key, area)


# In the order in which rows can go: what points to others, first.
PURGED: tuple[Holding, ...] = (
    _purged(
        Reading,
        *("message__case__resident", "message__todo__resident", "message__worker__resident"),
        message__case__pk="case",
        message__todo__pk="todo",
        at="message__created_at",
    ),
    _purged(
        Message,
        *("case__resident", "todo__resident", "worker__resident"),
        case__pk="case",
        todo__pk="todo",
        at="created_at",
    ),
    _purged(Change, "case__resident", case__pk="case"),
    _purged(Todo, "resident", pk="todo"),
    _purged(Event, "case__resident", case__pk="case"),
    _purged(Case, "resident", pk="case"),
    _purged(NATResult, "sample__resident", sample__pk="sample"),
    _purged(Sample, "resident", pk="sample"),
    _purged(Arrival, "resident", pk="arrival"),
    _purged(Opening, "resident", at="at"),
    _purged(Handover, "resident", at="asked_at"),
    _purged(
        RosterRow,
        "resident",
        at="roster__uploaded_at",
        by_key=True,
        area="roster__area__path",
    ),
    _purged(
        StagedResident,
        "resident",
        at="roster__uploaded_at",
        by_key=True,
        area="roster__area__path",
    ),
    # These name people only inside; whole files go.
    _purged(RosterFile, at="roster__uploaded_at", area="roster__area__path"),
    _purged(ExportFile, at="asked_at", area="area__path"),
)
# The tables that the database keeps as they were when an outbreak was closed.
FROZEN_TABLES = frozenset(
    model._meta.db_table for model in (Arrival, Case, Change, Event, NATResult, Sample, Todo)
)
STAYS: tuple[Holding, ...] = (
    Holding(Resident, ("pk",)),
    Holding(Household, ("residents",)),
    Holding(HealthFile, ("resident",)),
    Holding(Dose, ("resident",)),
    Holding(Need, ("resident",)),
    Holding(Contact, ("need__resident",)),
    Holding(Worker, ("resident",)),
    Holding(DutyEntry, ("worker__resident",)),
    Holding(GateCode, ("worker__resident",)),
    Holding(Move, ("resident",)),
    Holding(Merge, ("kept", "merged")),
    Holding(NotSame, ("first", "second")),
)
# Who looked is found by pseudonyms, and is cut off from people by a purge; what froze a person's
# data goes with them.
BY_PSEUDONYM = (AuditEntry, AuditWords)
OF_FREEZING = (Frozen,)

HOLDINGS: Mapping[str, Holding] = {each.label: each for each in (*STAYS, *PURGED)}


# What Django would name in the words of the code.
_WORDS = {
    RosterFile._meta.db_table: gettext_lazy("Files of rosters"),
    StagedResident._meta.db_table: gettext_lazy("Rows of rosters not yet imported"),
}


def in_words(table: str) -> str:
    """Return the name of a table for people."""
    models_by_table = {model._meta.db_table: model for model in apps.get_models()}
    if table in _WORDS or table not in models_by_table:
        return str(_WORDS.get(table, table))
    return str(models_by_table[table]._meta.verbose_name_plural)


def counts(closing: Closing, *, kept: bool = True) -> dict[str, int]:
    """Return how many rows of each table belong to a closed outbreak."""
    return {each.label: each.of_closing(closing, kept=kept).count() for each in PURGED}


def tables_with_people(everything: "list[type[models.Model]]") -> set[type[models.Model]]:
    """Return the models from which a resident can be reached by foreign keys or pseudonyms."""
    found: set[type[models.Model]] = {Resident}
    while more := {
        model for model in everything if model not in found and _leads_to(model, found)
    }:
        found |= more
    return found


def _leads_to(model: type[models.Model], people: "set[type[models.Model]]") -> bool:
    return any(
        field.related_model in people or field.name in {"resident", "residents", "shown", "person"}
        for field in model._meta.get_fields()
        if field.concrete and not field.auto_created
    )


def entries_about(people: "list[UUID]") -> "QuerySet[AuditEntry]":
    """Return the entries of the audit about some people."""
    subjects = [f"{Resident._meta.model_name}:{key}" for key in people]
    return AuditEntry.objects.filter(Q(shown__overlap=people) | Q(subject__in=subjects))


def leaves_first(rows: "QuerySet[Any]", model: type[models.Model]) -> "QuerySet[Any]":
    """Return the rows to which no row of the same table points."""
    for field in model._meta.concrete_fields:
        if field.related_model is model:
            pointing = model._base_manager.filter(**{field.name: models.OuterRef("pk")})
            rows = rows.filter(~models.Exists(pointing))
    return rows
