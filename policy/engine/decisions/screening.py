"""Screening: when people in a post must be tested."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from policy.engine.decisions import reasons
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import Post, ScreeningProvision
from policy.engine.text import Text


@dataclass(frozen=True, slots=True)
class Screening:
    """The test days of a week (Monday to Sunday), whether one is overdue, and the next."""

    frequency: str | None
    due: tuple[date, ...]
    overdue: bool
    next_on: date | None
    measure: Citation | None
    because: tuple[Text, ...]


def governing(law: Law, post: Post) -> tuple[Citation, ScreeningProvision] | None:
    """Return the provision that speaks of a post."""
    for cited, provision in law.cited(ScreeningProvision):
        if not provision.posts or post in provision.posts:
            return cited, provision
    return None


def screen(
    law: Law, post: Post, week: date, day: date, *, done: Collection[date] = ()
) -> Screening:
    """
    Return when somebody in a post must be tested in the week that begins on a Monday.

    Other days than those shown satisfy the week, as far apart as the provision says; a missed test
    is not doubled up, and there are never two on one day (101号 6).
    """
    cited_provision = governing(law, post)
    if cited_provision is None:
        nothing = Text(
            "没有条款规定此岗位的核酸检测。", "No clause speaks of tests for this post."
        )
        return Screening(None, (), overdue=False, next_on=None, measure=None, because=(nothing,))
    cited, provision = cited_provision
    because = (*reasons.cited(law, cited, provision), *_spacing(provision))
    if provision.force == "advise" or not provision.weekdays:
        return Screening(
            provision.frequency, (), overdue=False, next_on=None, measure=cited, because=because
        )
    due = tuple(week + timedelta(days=number - 1) for number in sorted(provision.weekdays))
    tested = sorted({d for d in done if week <= d < week + timedelta(days=7)})
    return Screening(
        frequency=provision.frequency,
        due=due,
        overdue=sum(1 for d in due if d < day) > len(tested),
        next_on=_next(due, tested, day, _days_between(provision)),
        measure=cited,
        because=because,
    )


def _next(due: tuple[date, ...], tested: list[date], day: date, apart: int) -> date:
    if sum(1 for d in due if d <= day) > len(tested):
        # Never two tests on one date.
        return day + timedelta(days=apart) if day in tested else day
    # Tests on other days stand for the days shown, so those still open are the last of the week.
    remaining = [d for d in due[len(tested) :] if d > day]
    return remaining[0] if remaining else max(due[0] + timedelta(days=7), day)


def _days_between(provision: ScreeningProvision) -> int:
    return -(-provision.hours_between // 24) if provision.hours_between else 1


def _spacing(provision: ScreeningProvision) -> tuple[Text, ...]:
    if provision.hours_between is None:
        return ()
    hours = provision.hours_between
    return (
        Text(f"两次核酸至少间隔{hours}小时。", f"Two tests lie at least {hours} hours apart."),
    )
