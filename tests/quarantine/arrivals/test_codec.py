"""What is read from a form that was filled in again is what it was filled in with."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from common import places
from policy.engine.areas import is_beyond_border
from policy.engine.decisions.facts import (
    CLINICALS,
    EXPOSURES,
    RISKS,
    SETTINGS,
    Inbound,
    Person,
    Proof,
    Served,
    Stay,
    read_person,
)
from quarantine.arrivals import codec
from quarantine.arrivals.codec import LOOK_BACK
from quarantine.arrivals.forms import MOST_SERVED, MOST_STAYS, JourneyForm
from quarantine.cases.facts import pack, unpack
from tests.factories import NOW

TODAY = NOW.date()

areas = st.sampled_from(sorted(places.places()))
risks = st.none() | st.sampled_from(RISKS)


def days_until(last: date) -> st.SearchStrategy[date]:
    return st.dates(last - LOOK_BACK, last)


def stays_until(last: date, area: st.SearchStrategy[str] = areas) -> st.SearchStrategy[Stay]:
    return st.builds(Stay, area, risks, days_until(last), st.booleans())


@st.composite
def served_until(draw: st.DrawFn, last: date) -> Served:
    """Draw days served elsewhere before an arrival, as a form takes them."""
    ended = draw(st.dates(TODAY - LOOK_BACK, max(last, TODAY - LOOK_BACK)))
    return Served(draw(st.sampled_from(SETTINGS)), draw(st.dates(TODAY - LOOK_BACK, ended)), ended)


@st.composite
def proofs(draw: st.DrawFn) -> Proof | None:
    """Draw a proof as a form takes it: to the minute, reported after it was sampled."""
    minutes = sorted(draw(st.lists(st.integers(1, 9_000), max_size=2)), reverse=True)
    sampled, reported = ([NOW - timedelta(minutes=ago) for ago in minutes] + [None, None])[:2]
    if sampled and draw(st.booleans()):
        sampled, reported = None, sampled
    return Proof(sampled, reported) if sampled or reported else None


@st.composite
def arrivals(draw: st.DrawFn) -> tuple[Person, str, bool]:
    """Draw somebody as the form knows them, the origin, and whether they are from abroad."""
    start = draw(days_until(TODAY))
    exposure = draw(st.none() | st.sampled_from(EXPOSURES))
    from_abroad = draw(st.booleans())
    inbound, origin, arrived_from = None, "", None
    at_origin: tuple[Stay, ...] = ()
    if from_abroad:
        days = st.integers(0, 30)
        inbound = draw(st.builds(Inbound, days, days, st.none() | areas))
        arrived_from = inbound.entered_via
    elif origin := draw(areas if exposure is None else st.just("") | areas):
        arrived_from, at_origin = origin, (draw(stays_until(start, st.just(origin))),)
        if is_beyond_border(origin):
            days = st.integers(1, 30)
            inbound = draw(st.none() | st.builds(Inbound, days, days, st.none() | areas))
    infected = exposure == "infected"
    person = Person(
        start=start,
        exposure=exposure,
        clinical=draw(st.sampled_from(CLINICALS)) if infected else None,
        serious_underlying_disease=infected and draw(st.booleans()),
        arrived_from=arrived_from,
        spread_at_origin=bool(origin) and draw(st.booleans()),
        stays=(*at_origin, *draw(st.lists(stays_until(start), max_size=MOST_STAYS))),
        inbound=inbound,
        closed_loop_post_ended=draw(st.none() | days_until(TODAY)),
        freight_crew=draw(st.booleans()),
        proof=draw(proofs()),
        home_conditions_met=draw(st.booleans()),
        chooses_central=draw(st.booleans()),
        served=tuple(draw(st.lists(served_until(start), max_size=MOST_SERVED))),
    )
    return person, origin, from_abroad


def sent_by(form: JourneyForm) -> dict[str, Any]:
    """Return what a browser sends of a form that nobody touched."""
    sent = {}
    rows = [form.stays.management_form, *form.stays.forms]
    rows += [form.served.management_form, *form.served.forms]
    for part in (form, *rows):
        for field in part:
            value = field.value()
            shown = "on" if value is True else field.field.widget.format_value(value)
            sent[field.html_name] = shown[0] if isinstance(shown, list) else shown
    return {name: str(value) for name, value in sent.items() if value not in (None, "")}


class TestRoundTrip:
    @settings(max_examples=50, deadline=None)  # each reads the names of all areas
    @given(arrivals())
    def test_a_form_filled_in_again_says_the_same(self, arrival: tuple[Person, str, bool]) -> None:
        person, origin, from_abroad = arrival
        assert person.start
        kept = unpack(pack(person, start=person.start, day_1=person.start), day_1=person.start)
        shown = JourneyForm(
            now=NOW,
            initial=codec.show_journey(
                kept, start=person.start, origin=origin, from_abroad=from_abroad
            )
            | codec.show_evidence(kept),
            stays=codec.show_stays(kept, origin=origin),
            served=codec.show_served(kept),
        )

        sent = JourneyForm(sent_by(shown), now=NOW)

        assert sent.is_valid(), (sent.errors, sent.stays.errors)
        assert read_person(sent.facts()) == person
        assert codec.read_origin(sent.cleaned_data) == origin
        assert codec.read_from_abroad(sent.cleaned_data) == from_abroad
