"""Decisions of the law, compared with plain Python that computes one fixed rule's dates."""

import itertools
import random
import time
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from bench import Figure, figure
from policy.engine.comparison.compare import compare
from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import CLINICALS, EXPOSURES, Inbound, Person, Proof, Stay
from policy.engine.documents.library import Library, shipped
from policy.engine.moments import start_of

PERSONS = 20_000
ROUNDS = 5
DAY = date(2022, 11, 28)
ORIGINS = ("620102", "150200", "130200", "310115", "210100", "610802", None)


def run() -> list[Figure]:
    """Return the figures of the law."""
    crowd = people(random.Random(7), PERSONS)  # noqa: S311 -- a fixed crowd, no secret
    plain = best(lambda: [fixed_rule(person) for person in crowd], len(crowd))
    fresh = best(lambda: decided(Library(shipped().documents), crowd), len(crowd))
    library = Library(shipped().documents)
    decided(library, crowd)
    repeated = best(lambda: decided(library, crowd), len(crowd))
    pairs = max(compared(*pair) for pair in itertools.permutations(shipped().documents, 2))
    return [
        figure(
            "law: different persons decided a second",
            fresh,
            reference=plain,
            goal="20,000/s or more",
            ok=fresh >= 20_000,
        ),
        figure(
            "law: persons decided before, a second",
            repeated,
            reference=plain,
            goal="faster than the first time",
            ok=repeated > fresh,
        ),
        figure(
            "law: slowest comparison of two documents, s",
            pairs,
            goal="below 1 s",
            ok=pairs < 1,
        ),
    ]


def people(chance: random.Random, number: int) -> list[Person]:
    """Return persons with different facts and dates."""
    return [_person(chance) for _ in range(number)]


def _person(chance: random.Random) -> Person:
    start = DAY + timedelta(days=chance.randrange(8))
    stays = tuple(
        Stay(
            chance.choice(ORIGINS),
            chance.choice(("high", "low", None)),
            start - timedelta(days=chance.randrange(15)),
        )
        for _ in range(chance.randrange(3))
    )
    abroad = Inbound(chance.randrange(8), chance.randrange(4)) if chance.random() < 0.1 else None
    sampled = start_of(start) - timedelta(minutes=chance.randrange(100 * 60))
    return Person(
        start=start,
        exposure=chance.choice((*EXPOSURES, None, None, None)),
        clinical=chance.choice(CLINICALS),
        serious_underlying_disease=chance.random() < 0.2,
        arrived_from=chance.choice(ORIGINS),
        spread_at_origin=chance.random() < 0.2,
        stays=stays,
        inbound=abroad,
        closed_loop_post_ended=start if chance.random() < 0.1 else None,
        proof=Proof(sampled) if chance.random() < 0.7 else None,
        home_conditions_met=chance.random() < 0.9,
        chooses_central=chance.random() < 0.1,
    )


def decided(library: Library, crowd: Sequence[Person]) -> None:
    """Decide all persons under a city's notice."""
    law = library.law("bayannur-2022-71")
    for person in crowd:
        decide(law, person, DAY)


def fixed_rule(person: Person) -> tuple[date, list[date]]:
    """Return the dates of one fixed rule: seven days, tests on days 1, 3, 5 and 7."""
    start = person.start or DAY
    return start + timedelta(days=6), [start + timedelta(days=number) for number in (0, 2, 4, 6)]


def best(work: Callable[[], object], number: int) -> float:
    """Return the number a second in the best of ROUNDS."""
    times = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        times.append(time.process_time() - began)
    return number / min(times)


def compared(first: str, second: str) -> float:
    """Return the seconds of a comparison without caches."""
    library = Library(shipped().documents)
    began = time.process_time()
    compare(library.law(first), library.law(second))
    return time.process_time() - began
