"""Counts are exact, whoever counts at the same moment."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.test import RequestFactory

from accounts.limits import counts
from accounts.limits.counts import Delay
from accounts.limits.models import Limit
from tests.concurrency import at_once


def earlier(key: str, seconds: float) -> None:
    """Let a count be this much older."""
    by = timedelta(seconds=seconds)
    Limit.objects.filter(key=key).update(since=F("since") - by, last=F("last") - by)


@pytest.mark.django_db
class TestAWindow:
    def test_holds_so_many_and_no_more(self) -> None:
        assert [counts.take("x", most=2, seconds=60) for _ in range(3)] == [True, True, False]

    def test_begins_anew_after_its_seconds(self) -> None:
        counts.take("x", most=1, seconds=60)
        earlier("x", 61)
        assert counts.take("x", most=1, seconds=60)

    def test_is_only_looked_at_without_cost(self) -> None:
        counts.take("x", most=1, seconds=60)
        for _ in range(3):
            assert counts.take("x", most=1, seconds=60, cost=0)

    def test_gets_back_what_was_not_used(self) -> None:
        counts.take("x", most=1, seconds=60)
        counts.give_back("x")
        assert counts.take("x", most=1, seconds=60)


@pytest.mark.django_db(transaction=True)
def test_six_at_once_never_take_more_than_there_is() -> None:
    taken = at_once(*[lambda: counts.take("x", most=4, seconds=60) for _ in range(6)])
    assert sorted(taken) == [False, False, True, True, True, True]


@pytest.mark.django_db(transaction=True)
def test_six_guesses_at_once_count_as_six() -> None:
    delay = Delay(free=4, first=60, longest=3600)
    waits = at_once(*[lambda: counts.try_once("x", delay) for _ in range(6)])
    assert sum(wait == 0 for wait in waits) == 4


@pytest.mark.django_db
class TestADelay:
    delay = Delay(free=2, first=60, longest=200, forget=1000)

    def test_doubles_up_to_the_longest(self) -> None:
        waits = []
        for _ in range(6):
            while wait := counts.try_once("x", self.delay):
                waits.append(wait)
                earlier("x", wait)
        assert waits == [60, 120, 200, 200]

    def test_is_not_longer_for_trying_meanwhile(self) -> None:
        for _ in range(2):
            counts.try_once("x", self.delay)
        assert counts.try_once("x", self.delay) == counts.try_once("x", self.delay) == 60

    def test_is_forgotten_in_the_end(self) -> None:
        for _ in range(2):
            counts.try_once("x", self.delay)
        earlier("x", 1001)
        assert [counts.try_once("x", self.delay) for _ in range(2)] == [0, 0]


@pytest.mark.django_db
def test_old_counts_are_deleted_and_young_ones_stay() -> None:
    for key, age in (("old", 3 * counts.DAY), ("young", counts.DAY)):
        counts.take(key, most=1, seconds=60)
        earlier(key, age)
    assert counts.forget_old() == 1
    assert Limit.objects.get().key == "young"


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::"),
    ],
)
def test_an_address_is_what_one_customer_holds(address: str, counted: str) -> None:
    assert counts.address_of(RequestFactory().get("/", REMOTE_ADDR=address)) == counted


def test_a_key_does_not_show_whom_it_counts() -> None:
    assert "203.0.113.7" not in counts.key_of("here", "203.0.113.7")
    assert counts.key_of("a", "b") != counts.key_of("b", "a")
