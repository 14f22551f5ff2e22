"""
The file of everything that the portal knows of a person: JSON for programs, a page to print.

What is said of others stays with them: another person is "another person", and staff are a role
and an employer. Left out are hashes and the like, by which the portal finds and sorts; they are
computed from what stands here.
"""

import io
import json
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import models
from django.template.loader import render_to_string
from django.utils.timezone import localtime
from django.utils.translation import gettext as _

from accounts.auditing.audit import words_of
from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, User
from policy.models import Provision
from portal.retention import inventory
from portal.retention.inventory import HOLDINGS, Holding, entries_about
from quarantine.models import Plan
from residents.register.models import Building, Household, Resident, UncoverReason
from residents.rosters.models import StagedResident

# Computed from other columns for searching and sorting, or counting changes.
DERIVED = frozenset(
    {
        *("id", "pk", "version", "name_key", "name_words", "name_hash", "number_hash"),
        *("number_end", "phone_hash", "phone_end", "door_hash", "door_key", "unit_key"),
        *("building_key", "day_hash", "token", "token_hash", "fence", "turn", "leased_until"),
    }
)


@dataclass(frozen=True)
class Cell:
    """A value with the name of its column, for programs and for people."""

    name: str
    label: str
    value: Any


@dataclass(frozen=True)
class Section:
    """The rows of a table that are about the person."""

    table: str
    label: str
    rows: list[list[Cell]]


@dataclass(frozen=True)
class Look:
    """Something that was done to or read of the person's data, and in which role."""

    at: datetime
    did: str
    role: str
    employer: str
    why: str


@dataclass(frozen=True)
class OwnData:
    """Everything that is known of a person at a moment."""

    at: datetime
    sections: list[Section]
    looks: list[Look]

    @property
    def rows(self) -> int:
        """Return how many rows and looks there are."""
        return sum(len(section.rows) for section in self.sections) + len(self.looks)


def gather(resident: Resident, *, at: datetime) -> OwnData:
    """Return what is known of a person, with the entries that were merged into theirs."""
    entries = entries_of(resident)
    own = {each.pk for each in entries}
    sections = [_section(holding, entries, own) for holding in HOLDINGS.values()]
    return OwnData(
        at=at,
        sections=[section for section in sections if section.rows],
        looks=list(_looks([each.key for each in entries])),
    )


def entries_of(resident: Resident) -> list[Resident]:
    """Return the entry of a person and those merged into it, directly or by another."""
    entries, queue = [resident], [resident]
    while queue:
        merges = queue.pop().merges.filter(undone_at=None).select_related("merged")
        queue += (found := [merge.merged for merge in merges])
        entries += found
    return entries


def packed(data: OwnData, *, line: str, correcting: str) -> bytes:
    """Return the file: a ZIP with `data.json` and `page.html`, each with the export's line."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("data.json", json.dumps(_as_json(data, line), ensure_ascii=False, indent=1))
        context = {"data": data, "line": line, "correcting": correcting}
        file.writestr("page.html", render_to_string("portal/owndata/page.html", context))
    return content.getvalue()


def _as_json(data: OwnData, line: str) -> dict[str, Any]:
    return {
        "export": line,
        "at": _plain(data.at),
        "tables": {
            section.table: [{cell.name: cell.value for cell in row} for row in section.rows]
            for section in data.sections
        },
        "looked": [
            {
                "at": _plain(look.at),
                "did": look.did,
                "role": look.role,
                "employer": look.employer,
                "why": look.why,
            }
            for look in data.looks
        ],
    }


def _section(holding: Holding, entries: list[Resident], own: set[int]) -> Section:
    rows = [row for each in entries for row in holding.of_person(each).order_by("pk")]
    return Section(
        holding.label,
        inventory.in_words(holding.label),
        [list(_cells(row, own)) for row in dict.fromkeys(rows)],
    )


def _cells(row: models.Model, own: set[int]) -> Iterator[Cell]:
    for field in row._meta.concrete_fields:
        if field.name in DERIVED:
            continue
        value = _value(row, field, own)
        if value not in (None, "", {}, []):
            yield Cell(field.name, str(field.verbose_name), value)


def _value(row: models.Model, field: Any, own: set[int]) -> Any:
    if isinstance(row, StagedResident) and isinstance(field, models.BinaryField):
        return _opened(row, field.name)
    if field.is_relation:
        return _pointed(getattr(row, field.name), own)
    if field.choices:
        return str(getattr(row, f"get_{field.name}_display")())
    return _plain(getattr(row, field.name))


def _plain(value: Any) -> Any:
    """Return a value as JSON knows it."""
    if isinstance(value, datetime):
        return localtime(value).isoformat(timespec="seconds")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, UUID | Decimal):
        return str(value)
    return value


def _pointed(other: models.Model | None, own: set[int]) -> Any:
    """Return what a row points to, without anybody else in it."""
    if other is None:
        return None
    if isinstance(other, User):
        return f"{other.get_role_display()} · {other.employer}"
    if isinstance(other, Area | Building):
        return other.name
    if isinstance(other, Plan | Provision):
        return f"{other.document} {other.clause}"
    person = other if isinstance(other, Resident) else getattr(other, "resident", None)
    if isinstance(person, Resident) and person.pk not in own:
        return _("another person")
    return str(getattr(other, "key", other.pk))


def _opened(row: StagedResident, name: str) -> Any:
    """Return a sealed value of a row that waits to be taken over; it is sealed for its target."""
    value = getattr(row, name)
    model, key = (Household, row.household) if name == "door" else (Resident, row.resident)
    field: Any = model._meta.get_field(name)
    return field.open(bytes(value), key) if value else None


def _looks(people: list[UUID]) -> Iterator[Look]:
    entries: list[AuditEntry] = list(
        entries_about(people).select_related("words").order_by("at", "pk")
    )
    actors = {
        user.key: user for user in User.objects.filter(key__in={entry.actor for entry in entries})
    }
    reasons, own = dict(UncoverReason.choices), set(people)
    for entry in entries:
        actor = actors.get(entry.actor) if entry.actor else None
        yield Look(
            at=entry.at,
            did=_(entry.did),
            role=str(actor.get_role_display()) if actor else _("the portal"),
            employer=actor.employer if actor else "",
            # Words about several people may name another of them.
            why=str(reasons.get(entry.reason, entry.reason))
            or (words_of(entry) if own.issuperset(entry.shown) else ""),
        )
