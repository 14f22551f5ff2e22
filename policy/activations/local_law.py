"""Which law holds in an area on a day, subject by subject."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from accounts.staff.models import Area
from common import places
from common.clock import day_of
from policy import services
from policy.activations.timeline import Timeline, timeline
from policy.engine.documents.law import Law
from policy.engine.documents.library import Library, shipped
from policy.engine.documents.schema import SUBJECTS
from policy.engine.errors import BadQuestionError
from policy.engine.moments import SHANGHAI

ENDING = "registry_end"  # says that a list is complete, nothing of its own


class SubjectSource(NamedTuple):
    """The document that speaks on a subject, with its clauses; None where none does."""

    subject: str
    document: str | None
    clauses: tuple[str, ...]
    inherited: bool


class ValidityPeriod(NamedTuple):
    """A period in which a document holds by its own dates; `last` is None for an open end."""

    document: str
    first: date
    last: date | None


@dataclass(frozen=True)
class LocalLaw:
    """
    The law of an area on a day.

    `known` is the area of the portal's that its activations are made for: itself or the nearest
    above it. Where nothing was activated `law` is what the own days of the documents say that
    come with the portal.
    """

    name: str
    code: str
    known: Area | None
    day: date
    law: Law | None
    activated: bool
    timeline: Timeline | None
    periods: tuple[ValidityPeriod, ...]

    @property
    def sources(self) -> list[SubjectSource]:
        """Return which document speaks on each subject."""
        return list(_sources(self.law)) if self.law else []


def area_of(text: str) -> tuple[str, str]:
    """Return the code and the name of an area that the portal or GB/T 2260 knows by this text."""
    area = Area.objects.filter(code=text.strip()).first()
    if area is not None:
        return area.code, str(area)
    place = places.read_place(text)
    return place.code, place.full_name


def moment_of(day: date, now: datetime) -> datetime:
    """Return the moment for which a day is asked: now for today, else its last second."""
    if day == day_of(now):
        return now
    return datetime.combine(day, time(23, 59, 59), SHANGHAI)


def local_law(*, code: str, name: str, day: date, now: datetime) -> LocalLaw:
    """Return which law holds in an area on a day. Three queries at most."""
    known = _nearest_area(code)
    law, activated = _law_at(known, code, day, now)
    return LocalLaw(
        name=name,
        code=code,
        known=known,
        day=day,
        law=law,
        activated=activated,
        timeline=timeline(area=known, at=moment_of(day, now)) if known else None,
        periods=tuple(_periods(code)),
    )


def library_in_force(*, now: datetime) -> Library:
    """Return the documents, of which the one in force is the one that pages name."""

    def rule(code: str, day: date) -> str | None:
        law, _activated = _law_at(_nearest_area(code), code, day, now)
        return law.id if law else None

    return services.library().governed_by(rule)


def _law_at(known: Area | None, code: str, day: date, now: datetime) -> tuple[Law | None, bool]:
    """Return the law of an area on a day, and whether somebody has put it in force."""
    activated = services.in_force(area=known, at=moment_of(day, now)) if known else None
    if activated is not None:
        return activated.at(code[:6]), True
    # What was uploaded decides nothing before it is activated.
    return _by_own_dates(shipped(), code, day), False


def _nearest_area(code: str) -> Area | None:
    """Return the portal's area of a code, or the nearest above it."""
    above = [code, code[:6], f"{code[:4]}00", f"{code[:2]}0000", "000000"]
    nearest: Area | None = Area.objects.filter(code__in=above).order_by("-depth").first()
    return nearest


def _by_own_dates(library: Library, code: str, day: date) -> Law | None:
    try:
        document = library.in_force(code[:6], day)
    except BadQuestionError:
        return None
    return services.library().law(document, code[:6])


def _periods(code: str) -> Iterator[ValidityPeriod]:
    """Return which document holds when by its own days, the most local first to speak."""
    library = services.library()
    begins = sorted(
        {
            moment
            for document in library.documents.values()
            for moment in (
                document.in_force_from,
                document.in_force_until and document.in_force_until + timedelta(days=1),
            )
            if moment
        }
    )
    periods: list[ValidityPeriod] = []
    for first in begins:
        law = _by_own_dates(library, code, first)
        if periods and periods[-1].last is None:
            if law is not None and law.id == periods[-1].document:
                continue
            periods[-1] = periods[-1]._replace(last=first - timedelta(days=1))
        if law is not None:
            periods.append(ValidityPeriod(law.id, first, None))
    yield from reversed(periods)


def _sources(law: Law) -> Iterator[SubjectSource]:
    for subject in SUBJECTS:
        if subject == ENDING:
            continue
        document = next(
            (
                candidate
                for candidate in law.documents
                if subject in {p.subject for p in candidate.provisions}
            ),
            None,
        )
        if document is None:
            yield SubjectSource(subject, None, (), inherited=False)
            continue
        clauses = dict.fromkeys(p.clause for p in document.provisions if p.subject == subject)
        inherited = document is not law.documents[0]
        yield SubjectSource(subject, document.id, tuple(clauses), inherited)
