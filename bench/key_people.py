"""
The lists of key people among 200,000 generated residents, compared with their queries alone.

A district's counts come from the cache, as for requests within the same minute.
"""

import random
from collections.abc import Callable
from datetime import date

from accounts.staff.models import Area, Role, User
from bench import Figure
from bench.residents import client_of, district, measured
from common import clock
from policy.models import Activation
from policy.services import load_documents
from residents.keypeople.facts import CONDITIONS, KeyFacts
from residents.keypeople.models import HealthFile
from residents.register.models import Resident

PAGES = {
    "all": "/key-people/",
    "one category": "/key-people/?category=chronic_disease",
    "to be won, 80 and older": "/key-people/?vaccination=80",
    "what 113号 would change": "/key-people/changes/?document=cn-2022-113",
}


def run() -> list[Figure]:
    """Return the figures of the lists for a grid, a community and a district, under 101号."""
    with district() as (people, _sample):
        load_documents()
        _put_in_force()
        files = _tick(people["grid"])
        return [
            measured(f"key people ({files:,} files): {scope}, {name}", _page(user, address))
            for scope, user in people.items()
            for name, address in PAGES.items()
        ]


def _page(user: User, address: str) -> Callable[[], int]:
    client = client_of(user)
    return lambda: client.get(address).status_code


def _put_in_force() -> None:
    at = clock.now()  # noqa: TID251 - a bench is an edge, too
    county = Area.objects.get(code="199901")
    proposer, approver = (
        User.objects.create_user(username=name, name=name, employer=name, role=Role.ADMINISTRATOR)
        for name in ("bench.one", "bench.two")
    )
    Activation.objects.create(
        document="cn-2022-101",
        area=county,
        effective_from=at,
        reason="bench",
        proposed_by=proposer,
        proposer_employer=proposer.employer,
        proposed_at=at,
        approved_by=approver,
        approver_employer=approver.employer,
        approved_at=at,
    )


def _tick(by: User) -> int:
    """Create health files for about one resident in three, with hundreds of different facts."""
    chance, at = random.Random(2), clock.now()  # noqa: S311, TID251
    files = [
        HealthFile(
            resident_id=pk,
            facts=facts.pack(),
            token=facts.token,
            changed_at=at,
            changed_by=by,
        )
        for pk, born in Resident.objects.values_list("pk", "birth_date")
        if born and (facts := _facts(chance, born)) != KeyFacts()
    ]
    HealthFile.objects.bulk_create(files, batch_size=5_000)
    return len(files)


def _facts(chance: random.Random, born: date) -> KeyFacts:
    old = born.year < 1963
    if chance.random() > (0.7 if old else 0.2):
        return KeyFacts()
    return KeyFacts(
        conditions=tuple(sorted(set(chance.choices(CONDITIONS, k=chance.choice((0, 1, 1, 2)))))),
        stable=chance.random() < 0.85,
        living_alone=old and chance.random() < 0.18,
        disabled=chance.random() < 0.02,
        doses=(("inactivated", chance.choice((1, 2, 3))),),
    )
