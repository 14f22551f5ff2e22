"""
Which law a case follows, and so its plan: a function of facts and law, never of what came before.

The facts are those of the opening as corrected since, the law of the opening, the activation that
governs the grid now, and the case's own exception. However often and in whatever order the law is
switched, however late anybody asks, the answer is that of the last switch alone.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from accounts.staff.models import Area
from common import clock
from policy.activations.governing import governing
from policy.engine.calendars.laying import Calendar, Refer
from policy.engine.calendars.plans import Plan
from policy.engine.comparison.transition import transition
from policy.engine.decisions.decide import Decision
from policy.engine.documents.law import Citation
from policy.engine.errors import BadQuestionError
from policy.engine.moments import day_number
from policy.models import Activation
from policy.services import law_at
from quarantine.cases.calendars import History, lay_plan
from quarantine.cases.facts import decide_on, unpack
from quarantine.models import Case


@dataclass(frozen=True)
class Ruling:
    """An activation as far as cases depend on it: its document, first day and choices."""

    activation: int
    document: str
    first_day: date
    reaches_open: frozenset[str]  # the subjects on which it does, though stricter


@dataclass(frozen=True)
class Followed:
    """The law that a case follows and what it asks, as stored in columns of the case."""

    plan: Plan | None  # None where the law of the opening asks nothing
    activation: int | None
    law: str
    law_from: date | None = None
    freed_on: date | None = None
    transition: str = Case.Transition.NONE
    refer: Refer | None = None  # where the law of the opening passes the person to
    # The subject on which the document in force asks more: for that alone the case stays.
    spared: str = ""
    freed_by: Citation | None = None  # the clause that asks nothing, where one says so

    @property
    def columns(self) -> dict[str, Any]:
        """The columns of a case that say which law it follows; the plan is a row of its own."""
        return {
            "activation_id": self.activation,
            "law": self.law,
            "law_from": self.law_from,
            "freed_on": self.freed_on,
            "transition": self.transition,
        }


def ruling(activation: Activation | None) -> Ruling | None:
    """Return what cases depend on. No query where the choices were prefetched."""
    if activation is None:
        return None
    return Ruling(
        activation=activation.pk,
        document=activation.document,
        first_day=clock.day_of(activation.effective_from),
        reaches_open=frozenset(choice.subject for choice in activation.choices.all()),
    )


def ruling_in(area: Area, *, at: datetime) -> Ruling | None:
    """Return what governs an area at a moment, None where no document is in force."""
    return ruling(governing(at=at, over=area).at(area.path))


def follow(
    *,
    facts: Mapping[str, Any],
    day_1: date,
    opened_under: str,
    place: str,
    ruling: Ruling | None,
    excepted: str,
) -> Followed:
    """
    Return the law that a case follows in a place (a county's code).

    Raise BadQuestionError, or what unpacking raises, for facts that nobody packed.
    """
    person = unpack(facts, day_1=day_1)
    opening = decide_on(law_at(opened_under, place), person)
    stays = Followed(
        plan=opening.plan,
        activation=ruling.activation if ruling else None,
        law=opened_under,
        refer=opening.refer if opening.plan is None else None,
    )
    if ruling is None or ruling.document == opened_under or opening.plan is None:
        return stays
    if excepted == Case.Excepted.STAYS:
        return replace(stays, transition=Case.Transition.STAYS)
    try:
        now = decide_on(law_at(ruling.document, place), person)
    except BadQuestionError:
        return replace(stays, transition=Case.Transition.UNDECIDED)
    change = transition(
        opening,
        now,
        day=ruling.first_day,
        reaches_open=excepted == Case.Excepted.FOLLOWS or now.subject in ruling.reaches_open,
    )
    if not change.switched:
        spared = now.subject or "" if change.why == "stricter" else ""
        return replace(stays, transition=change.result, spared=spared)
    plan, goes_on = change.plan, False
    if now.plan is not None:
        first = day_number(ruling.first_day, day_1)
        plan, goes_on = _succeeding(now.plan, opening.plan, first)
    return Followed(
        plan=plan,
        activation=ruling.activation,
        law=ruling.document,
        law_from=None if goes_on else max(ruling.first_day, day_1),
        freed_on=change.freed_on,
        transition=change.result,
        freed_by=now.measure if now.plan is None else None,
    )


@functools.lru_cache(maxsize=10_000)
def _succeeding(new: Plan, old: Plan, first: int) -> tuple[Plan, bool]:
    """
    Return the plan of a law that takes over from day `first` on, and whether the old one goes on.

    Where the new law is silent, the clause of the opening goes on, and nothing begins anew. No
    test is owed for a day that was over before, unless the old law asked for it, too; but the
    last one, after which people go, is.
    """
    earlier = {day for day in new.days_asked("must")[:-1] if day < first}
    return new.without_tests(earlier - set(old.days_asked("must"))), new.asks_as(old)


def followed_under(ruling: Ruling | None, *, case: Case, place: str) -> Followed | None:
    """Return the law that a case follows under a ruling; None where nothing follows from it."""
    return followed_or_none(
        facts=case.facts,
        day_1=case.day_1,
        opened_under=case.opened_under,
        place=place,
        ruling=ruling,
        excepted=case.excepted,
    )


def followed_or_none(
    *,
    facts: Mapping[str, Any],
    day_1: date,
    opened_under: str,
    place: str,
    ruling: Ruling | None,
    excepted: str,
) -> Followed | None:
    """Do the same as `follow`; None for forged facts, or where nothing is asked of them."""
    try:
        followed = follow(
            facts=facts,
            day_1=day_1,
            opened_under=opened_under,
            place=place,
            ruling=ruling,
            excepted=excepted,
        )
    except (BadQuestionError, AttributeError, LookupError, TypeError, ValueError):
        return None
    return followed if followed.plan else None


def freeing_clause(*, case: Case, law: str, place: str) -> Citation | None:
    """Return the clause by which a law asks nothing of a case, None where it says nothing."""
    try:
        return decide_on(law_at(law, place), unpack(case.facts, day_1=case.day_1)).measure
    except (BadQuestionError, AttributeError, LookupError, TypeError, ValueError):
        return None


def freeing_clause_of(case: Case) -> Citation | None:
    """Return the clause by which the document that freed a case asks nothing of the person."""
    return freeing_clause(case=case, law=case.law, place=case.grid.county_code)


def decision_of(case: Case) -> Decision:
    """
    Return the answer of the law that a case follows to the case's facts, with the reasons.

    Its plan is the case's plan, unless that law asks nothing and has freed the person: this is
    what "why this date" shows.
    """
    law = law_at(case.law, case.grid.county_code)
    return decide_on(law, unpack(case.facts, day_1=case.day_1))


def followed_by(*, case: Case, packed: Mapping[str, Any], at: datetime) -> Followed:
    """Return the law that a case with these facts follows at a moment, and what it asks."""
    return follow(
        facts=packed,
        day_1=case.day_1,
        opened_under=case.opened_under,
        place=case.grid.county_code,
        ruling=ruling_in(case.grid, at=at),
        excepted=case.excepted,
    )


def lay_followed(followed: Followed, day_1: date, history: History, *, today: date) -> Calendar:
    """Return the calendar of a case that follows a law. Raise ValueError without a plan."""
    if followed.plan is None:
        raise ValueError("Nothing is asked: there is no calendar.")
    return lay_plan(
        followed.plan,
        day_1,
        history,
        today=today,
        law_from=followed.law_from,
        freed_on=followed.freed_on,
        transition=followed.transition,
    )
