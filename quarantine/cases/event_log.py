"""The event log of a case, in words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext, pgettext_lazy

from common import places
from policy.words import CLINICAL, SETTINGS, clause_of, facts_of, named_day
from quarantine.acts.daily_checks import Symptom
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle
from quarantine.cases.facts import unpack
from quarantine.corrections.kinds import ExcludedBy
from quarantine.models import Case, Event
from residents.relocation.models import Move
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


# The kinds that are answers to another event, and facts of their own.
_ANSWERS = frozenset({Event.Kind.OUTING_APPROVED, Event.Kind.OUTING_REFUSED})
# The kinds that cannot be put right by themselves.
_OF_OTHERS = frozenset({Event.Kind.CORRECTED, Event.Kind.EXCEPTION})
# How a case is closed whose evidence is gone: it is entered anew.
_FOR_GOOD = frozenset({Case.ClosedAs.WITHDRAWN, Case.ClosedAs.IN_ERROR})
# A fact that can be put right: its kind and its key, as the page of corrections takes them.
Fact = tuple[str, str]


@dataclass(frozen=True)
class LogEntry:
    """A line of the history: when, who, what, and why; and the fact that it tells of."""

    at: datetime
    who: str
    what: str
    detail: str
    fact: Fact | None = None


def history(
    events: Collection[Event], samples: Collection[Sample], *, case: Case | None
) -> list[LogEntry]:
    """
    Return what happened, the newest first; samples carry their `valid_results`.

    With the `case`, each line names the fact that it tells of.
    """
    lines = chain(_event_entries(events, case), _sample_entries(samples), _result_entries(samples))
    entries = sorted(lines, key=lambda entry: entry.at, reverse=True)
    return entries if case else [replace(entry, fact=None) for entry in entries]


def _event_entries(events: Collection[Event], case: Case | None) -> Iterator[LogEntry]:
    for event in events:
        actor = str(event.by or _("the portal"))
        fact = _fact_of(event, case) if case else None
        yield LogEntry(event.at, actor, event.get_kind_display(), event_text(event), fact)


def _fact_of(event: Event, case: Case) -> Fact | None:
    """Return the fact that an event tells of: itself, or what it follows from."""
    if event.kind == Event.Kind.OPENED:
        arrival = case.arrival
        if arrival and arrival.withdrawn_at is None:
            return "arrival", str(arrival.key)
        return "case", str(case.key)
    follows = "index_case" in event.detail or (event.about_id and event.kind not in _ANSWERS)
    if event.kind in _OF_OTHERS or event.detail.get("closed_as") in _FOR_GOOD or follows:
        return None
    if "move" in event.detail:
        return "move", event.detail["move"]
    if "result" in event.detail:
        return "result", str(event.detail["result"])
    return "event", str(event.pk)


def _sample_entries(samples: Collection[Sample]) -> Iterator[LogEntry]:
    for sample in samples:
        tube = _("pooled, tube %(tube)s") % {"tube": sample.tube} if sample.pooled else ""
        yield LogEntry(
            sample.taken_at,
            str(sample.taken_by),
            _("Sample taken"),
            tube,
            ("sample", str(sample.key)),
        )


def _result_entries(samples: Collection[Sample]) -> Iterator[LogEntry]:
    for sample in samples:
        for result in sample.valid_results:  # type: ignore[attr-defined]
            fact = ("result", str(result.pk))
            text = result_text(sample, result)
            who = str(result.recorded_by)
            yield LogEntry(result.recorded_at, who, _("Result"), text, fact)


def result_text(sample: Sample, result: NATResult) -> str:
    """Return the result of a sample, in words."""
    day = _("sample of %(day)s") % {"day": named_day(sample.day)}
    return _joined([day, result.in_words, _("pooled") if sample.pooled else ""])


def event_text(event: Event) -> str:
    """Return the text of an event beside its kind: its day, its details, its reason."""
    day = named_day(event.day) if event.kind in _DATED else ""
    return _joined(
        [
            day,
            *_put_right(event.detail),
            *_details(event.detail),
            *_changes(event.detail),
            _clause_named(event),
            event.reason or _no_reason(event),
            event.note,
        ]
    )


def _no_reason(event: Event) -> str:
    return _("no reason given") if event.kind == Event.Kind.TEST_MISSED else ""


_PUT_RIGHT = {
    "corrected": gettext_lazy("corrected"),
    "withdrawn": pgettext_lazy("a fact", "withdrawn"),
    "given": gettext_lazy("belongs to another person"),
    "received": gettext_lazy("was entered for another person"),
    Case.ClosedAs.IN_ERROR: gettext_lazy("entered in error"),
    Case.ClosedAs.EXCLUDED: gettext_lazy("excluded"),
}


def _put_right(detail: dict[str, Any]) -> Iterator[str]:
    """Yield what was put right, and how."""
    if "fact" not in detail:
        return
    parts = {"fact": fact_name(detail["fact"]), "how": _PUT_RIGHT[detail["act"]]}
    yield pgettext("a fact and how it was put right", "%(fact)s %(how)s") % parts
    if "excluded_by" in detail:
        yield str(ExcludedBy(detail["excluded_by"]).label)
    if "wrong" in detail and "right" in detail:
        yield from _differences(_arrival(detail["wrong"]), _arrival(detail["right"]))


def fact_name(fact: str) -> str:
    """Return what a fact is called: an arrival, a sample, the kind of a move or of an event."""
    names = {
        "arrival": _("Arrival"),
        "sample": _("Sample"),
        "result": _("Result"),
        "case": pgettext("a person under a measure", "Case"),
    }
    if fact in names:
        return names[fact]
    choices = Move.Kind if fact in Move.Kind.values else Event.Kind
    return str(choices(fact).label)


def _arrival(shown: dict[str, Any]) -> dict[str, str]:
    """Return what an arrival says, in words by name."""
    day = date.fromisoformat(shown["arrived_on"])
    said = {_("Arrived"): named_day(day)}
    if shown["from_abroad"]:
        said[_("Came from")] = _("Abroad")
    elif shown["origin"]:
        said[_("Came from")] = places.name_of(shown["origin"])
    for name, value in facts_of(unpack(shown["facts"], day_1=day)):
        said[name] = value if name not in said or said[name] == value else f"{said[name]}、{value}"
    return said


def _differences(wrong: dict[str, str], right: dict[str, str]) -> Iterator[str]:
    nothing = pgettext("no value", "none")
    for name in dict.fromkeys([*wrong, *right]):
        before, after = wrong.get(name, nothing), right.get(name, nothing)
        if before != after:
            yield f"{name} {before} → {after}"


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
