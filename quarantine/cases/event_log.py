"""The event log of a case, in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from policy.words import CLINICAL, SETTINGS, clause_of, short_day
from quarantine.acts.daily_checks import Symptom
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle
from quarantine.models import Case, Event
from testing.models import NATResult

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from testing.models import Sample

# The kinds whose day tells more than the moment at which they were recorded.
_DATED = frozenset(
    {
        Event.Kind.TEST_MISSED,
        Event.Kind.POSITIVE,
        Event.Kind.CORRECTED,
        Event.Kind.OUTING_ASKED,
        Event.Kind.OUTING_APPROVED,
        Event.Kind.OUTING_REFUSED,
    }
)


@dataclass(frozen=True)
class LogEntry:
    """A line of the history: when, who, what, and why."""

    at: datetime
    who: str
    what: str
    detail: str


def history(events: Collection[Event], samples: Collection[Sample]) -> list[LogEntry]:
    """Return what happened, the newest first; samples carry their `valid_results`."""
    lines = chain(_event_entries(events), _sample_entries(samples), _result_entries(samples))
    return sorted(lines, key=lambda entry: entry.at, reverse=True)


def _event_entries(events: Collection[Event]) -> Iterator[LogEntry]:
    for event in events:
        actor = str(event.by or _("the portal"))
        yield LogEntry(event.at, actor, event.get_kind_display(), event_text(event))


def _sample_entries(samples: Collection[Sample]) -> Iterator[LogEntry]:
    for sample in samples:
        tube = _("pooled, tube %(tube)s") % {"tube": sample.tube} if sample.pooled else ""
        yield LogEntry(sample.taken_at, str(sample.taken_by), _("Sample taken"), tube)


def _result_entries(samples: Collection[Sample]) -> Iterator[LogEntry]:
    for sample in samples:
        for result in sample.valid_results:  # type: ignore[attr-defined]
            text = result_text(sample, result)
            yield LogEntry(result.recorded_at, str(result.recorded_by), _("Result"), text)


def result_text(sample: Sample, result: NATResult) -> str:
    """Return the result of a sample, in words."""
    day = _("sample of %(day)s") % {"day": short_day(sample.day)}
    return _joined([day, result.in_words, _("pooled") if sample.pooled else ""])


def event_text(event: Event) -> str:
    """Return the text of an event beside its kind: its day, its details, its reason."""
    day = short_day(event.day) if event.kind in _DATED else ""
    return _joined(
        [
            day,
            *_details(event.detail),
            *_changes(event.detail),
            _clause_named(event),
            event.reason or _no_reason(event),
            event.note,
        ]
    )


def _no_reason(event: Event) -> str:
    return _("no reason given") if event.kind == Event.Kind.TEST_MISSED else ""


def _details(detail: dict[str, Any]) -> Iterator[str]:
    if temperature := detail.get("temperature"):
        yield _("%(temperature)s °C") % {"temperature": temperature}
    for symptom in detail.get("symptoms", ()):
        yield str(Symptom(symptom).label)
    if "symptoms" in detail and not detail["symptoms"]:
        yield pgettext("a daily check", "no symptoms")
    for name, choices in (("purpose", OutingPurpose), ("vehicle", Vehicle), ("mask", Mask)):
        if name in detail:
            yield str(choices(detail[name]).label)


def _changes(detail: dict[str, Any]) -> Iterator[str]:
    if "home_conditions_met" in detail:
        yield _("Fit for isolation") if detail["home_conditions_met"] else _("Not fit")
    if "clinical" in detail:
        yield str(CLINICAL[detail["clinical"]])
    if "was" in detail:
        outcome_before = str(NATResult.Outcome(detail["was"]).label)
        yield _("before: %(result)s") % {"result": f"{outcome_before} {detail['was_ct']}".strip()}
    if "to" in detail:
        yield f"{SETTINGS[detail['from']]} → {SETTINGS[detail['to']]}"
    if "excepted" in detail:
        yield str(Case.Excepted(detail["excepted"]).label)
    if "entered" in detail:
        yield f"{detail['left']} → {detail['entered']}"


def _clause_named(event: Event) -> str:
    """Return the clause that was named; other events are under that of the plan."""
    document, _space, clause = event.clause.rpartition(" ")
    if event.kind != Event.Kind.EXCEPTION or not document:
        return ""
    return clause_of(document, clause, short=True)


def _joined(parts: list[str]) -> str:
    return " · ".join(filter(None, parts))
