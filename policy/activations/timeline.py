"""What was, is and will be in force in an area, and who decided it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from django.db.models import Q

from accounts.scope import within
from accounts.staff.models import Area, User
from policy.models import Activation

# A picture of one moment would have no width.
SHORTEST = timedelta(days=1)
# A bar that is shorter than this, of 100, would not be seen.
THINNEST = 1.5

State = Literal["past", "now", "upcoming"]


@dataclass(frozen=True)
class Span:
    """A time during which one activation governed; `end` is None while nothing ends it."""

    activation: Activation
    begin: datetime
    end: datetime | None
    state: State


@dataclass(frozen=True)
class TimelineEntry:
    """One act in the history of an area: who did what, when and why."""

    at: datetime
    act: Literal["proposed", "approved", "withdrawn"]
    activation: Activation
    who: User
    employer: str
    reason: str


@dataclass(frozen=True)
class Bar:
    """A span as a bar of a chart that is 100 wide."""

    span: Span
    start: str
    width: str


@dataclass(frozen=True)
class Timeline:
    """The history of one area, with what it takes over from the areas above it."""

    area: Area
    at: datetime
    spans: list[Span]
    entries: list[TimelineEntry]
    waiting: Activation | None

    @property
    def now(self) -> Span | None:
        """Return what is in force."""
        return next((span for span in self.spans if span.state == "now"), None)

    @property
    def bars(self) -> list[Bar]:
        """Return the spans as bars, the newest first."""
        first, last = self._width
        percent = (last - first) / 100

        def place(moment: datetime) -> float:
            return (moment - first) / percent

        bars = []
        for span in reversed(self.spans):
            width = max(place(span.end or last) - place(span.begin), THINNEST)
            start = min(place(span.begin), 100 - width)
            bars.append(Bar(span, f"{start:.2f}", f"{width:.2f}"))
        return bars

    @property
    def recent(self) -> list[Bar]:
        """Return what is in force or to come, with the one before it."""
        past = [bar for bar in self.bars if bar.span.state == "past"]
        return [bar for bar in self.bars if bar.span.state != "past"] + past[:1]

    @property
    def today(self) -> str:
        """Return the position of `at` on the chart."""
        first, last = self._width
        return f"{(self.at - first) / (last - first) * 100:.2f}"

    @property
    def _width(self) -> tuple[datetime, datetime]:
        begins = [span.begin for span in self.spans] or [self.at]
        first, last = min(*begins, self.at), max(*begins, self.at)
        # What still holds reaches a little beyond the present, what is to come beyond its begin.
        return first, last + max((last - first) / 8, SHORTEST)


def timeline(*, area: Area, at: datetime) -> Timeline:
    """Return the history of an area as of `at`. One query."""
    activations = Activation.objects.over(area).select_related(
        "area", "proposed_by", "approved_by", "withdrawn_by"
    )
    return timeline_of(area, list(activations), at=at)


def timelines(*, user: User, at: datetime) -> list[Timeline]:
    """
    Return the history of each area of `user`'s for which something was decided, and of their own.

    Three queries, however many areas.
    """
    own_areas = list(user.areas.order_by("path"))
    above = {
        area.path[:end]
        for area in own_areas
        for end in range(Area.steplen, len(area.path), Area.steplen)
    }
    activations = list(
        Activation.objects.filter(within(user, "area__path") | Q(area__path__in=above))
        .select_related("area", "proposed_by", "approved_by", "withdrawn_by")
        .order_by("pk")
    )
    areas = {
        area.path: area for area in [*own_areas, *(activation.area for activation in activations)]
    }
    return [
        timeline_of(
            area,
            [
                activation
                for activation in activations
                if area.path.startswith(activation.area.path)
            ],
            at=at,
        )
        for path, area in sorted(areas.items())
        if path not in above
    ]


def timeline_of(area: Area, activations: Sequence[Activation], *, at: datetime) -> Timeline:
    """Return the history from loaded activations: all of the area and of the areas above."""
    waits = (
        activation
        for activation in activations
        if activation.area_id == area.pk and _is_waiting(activation)
    )
    return Timeline(
        area=area,
        at=at,
        spans=spans(activations, at=at),
        entries=sorted(
            (entry for activation in activations for entry in _entries(activation)),
            key=lambda entry: (entry.at, entry.activation.pk),
            reverse=True,
        ),
        waiting=next(waits, None),
    )


def spans(activations: Sequence[Activation], *, at: datetime) -> list[Span]:
    """Return what governed when, the earliest first, by the same rule as `services.in_force`."""
    approved = [activation for activation in activations if activation.approved_at]
    moments = sorted({moment for activation in approved for moment in _moments(activation)})
    ends = [*moments[1:], None][: len(moments)]
    periods: list[tuple[Activation, datetime, datetime | None]] = []
    for begin, end in zip(moments, ends, strict=True):
        governing = governs(approved, begin)
        if governing is None:
            continue
        if periods and periods[-1][0] == governing and periods[-1][2] == begin:
            begin = periods.pop()[1]
        periods.append((governing, begin, end))
    return [
        Span(activation, begin, end, _state(begin, end, at)) for activation, begin, end in periods
    ]


def governs(activations: Iterable[Activation], at: datetime) -> Activation | None:
    """Return which of these activations is in force at a moment."""
    in_force = (
        activation
        for activation in activations
        if (begins := _begins_at(activation))
        and begins <= at
        and not _withdrawn_by(activation, at)
    )
    return max(
        in_force,
        key=lambda activation: (
            activation.area.depth,
            activation.effective_from,
            activation.approved_at,
            activation.pk,
        ),
        default=None,
    )


def _begins_at(activation: Activation) -> datetime | None:
    """Return the start of an activation's force: never before its approval."""
    approved = activation.approved_at
    return max(activation.effective_from, approved) if approved else None


def _moments(activation: Activation) -> Iterable[datetime]:
    begins = _begins_at(activation)
    if begins and not _withdrawn_by(activation, begins):
        yield begins
        if activation.withdrawn_at:
            yield activation.withdrawn_at


def _withdrawn_by(activation: Activation, at: datetime) -> bool:
    return activation.withdrawn_at is not None and activation.withdrawn_at <= at


def _is_waiting(activation: Activation) -> bool:
    return activation.approved_at is None and activation.withdrawn_at is None


def _state(begin: datetime, end: datetime | None, at: datetime) -> State:
    if begin > at:
        return "upcoming"
    return "past" if end and end <= at else "now"


def _entries(activation: Activation) -> Iterable[TimelineEntry]:
    yield TimelineEntry(
        activation.proposed_at,
        "proposed",
        activation,
        activation.proposed_by,
        activation.proposer_employer,
        activation.reason,
    )
    if activation.approved_by and activation.approved_at:
        yield TimelineEntry(
            activation.approved_at,
            "approved",
            activation,
            activation.approved_by,
            activation.approver_employer,
            "",
        )
    if activation.withdrawn_by and activation.withdrawn_at:
        yield TimelineEntry(
            activation.withdrawn_at,
            "withdrawn",
            activation,
            activation.withdrawn_by,
            activation.withdrawn_by.employer,
            activation.withdrawal_reason,
        )
