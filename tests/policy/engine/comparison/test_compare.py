"""Comparing two documents over the classes they tell apart."""

import itertools

import pytest

from policy.engine.comparison.classes import persons
from policy.engine.comparison.compare import compare
from policy.engine.documents.library import Library, shipped
from policy.engine.documents.loader import read
from policy.engine.documents.schema import Document
from tests.policy.engine.documents.test_loader import SOUND

DAILY = "posts: [prison], frequency: daily, weekdays: [1, 2, 3, 4, 5, 6, 7]"


def verdicts(document: str, other: str) -> dict[tuple[str, str], str]:
    """Return the verdict of each subject and clause."""
    law, parent = shipped().law(document), shipped().law(other)
    return {(one.subject, one.clause): one.verdict for one in compare(law, parent)}


class TestComparing:
    @pytest.mark.parametrize("document", sorted(shipped().documents))
    def test_a_document_with_itself_finds_everything_equal(self, document: str) -> None:
        assert set(verdicts(document, document).values()) == {"equal"}

    @pytest.mark.parametrize(
        ("document", "other"), list(itertools.permutations(sorted(shipped().documents), 2))
    )
    def test_any_two_gives_one_finding_for_each_clause_and_subject(
        self, document: str, other: str
    ) -> None:
        findings = compare(shipped().law(document), shipped().law(other))
        keys = [(one.subject, one.clause) for one in findings]

        assert len(keys) == len(set(keys))
        assert {one.verdict for one in findings} <= {"stricter", "equal", "looser", "silent"}
        assert all(one.verdict != "stricter" or one.force == "must" for one in findings)
        assert all((one.parent_clause is None) or one.verdict != "silent" for one in findings)

    def test_follows_a_number_that_is_changed(self) -> None:
        def with_days(name: str, days: str) -> Document:
            text = SOUND.replace("days: 7, tests: [1, 3, 5, 7]", days)
            return read(text.replace("id: pingan-2030-1", f"id: {name}"), name)

        library = Library(
            {
                name: with_days(name, days)
                for name, days in {
                    "seven": "days: 7, tests: [1, 3, 5, 7]",
                    "eight": "days: 8, tests: [1, 3, 5, 7]",
                    "fewer": "days: 7, tests: [1, 7]",
                }.items()
            }
        )

        def verdict(one: str, other: str) -> str:
            found = compare(library.law(one), library.law(other))
            return next(f.verdict for f in found if f.subject == "high_risk_stay")

        assert verdict("eight", "seven") == "stricter"
        assert verdict("seven", "eight") == "looser"
        assert verdict("fewer", "seven") == "looser"
        assert verdict("seven", "seven") == "equal"

    def test_weighs_what_crews_are_asked_and_what_their_trucks_are(self) -> None:
        crews = """  - subject: freight
    clause: "1"
    who: {freight_crew: true, arrived_from: outside_area}
    tests: {days: [1, 3], force: must}
    summary: {zh: 甲, en: A.}
no_provision:
"""
        text = SOUND.replace("id: pingan-2030-1", "id: crews").replace("no_provision:\n", crews)
        library = Library(shipped().documents | {"crews": read(text, "crews")})
        found = compare(library.law("crews"), library.law("bayannur-2022-71"))

        [verdict] = [one.verdict for one in found if one.subject == "freight"]
        assert verdict == "stricter"

    @pytest.mark.parametrize(
        ("subject", "less", "more"),
        [
            ("gatherings", "duties: [plan]", "duties: [plan, scan]"),
            ("screening", f"{DAILY}, force: advise", DAILY),
            ("screening", f"{DAILY}, force: advise", "posts: [prison], sampled: true"),
            (
                "entry",
                "venues: [hotel], roles: [member]",
                "venues: [hotel], roles: [member], checks: [proof], proof_hours: 48",
            ),
        ],
    )
    def test_tells_which_of_two_provisions_asks_more(
        self, subject: str, less: str, more: str
    ) -> None:
        def with_provision(values: str) -> Document:
            text = (
                f'  - {{subject: {subject}, clause: "1", {values}, summary: {{zh: 甲, en: A.}}}}'
            )
            name = "less" if values == less else "more"
            whole = SOUND.replace("id: pingan-2030-1", f"id: {name}")
            return read(whole.replace("no_provision:\n", f"{text}\nno_provision:\n"), name)

        library = Library({"less": with_provision(less), "more": with_provision(more)})
        laws = {name: library.law(name) for name in ("less", "more")}

        def verdict(one: str, other: str) -> str:
            found = compare(laws[one], laws[other])
            return next(f.verdict for f in found if (f.subject, f.clause) == (subject, "1"))

        assert verdict("more", "less") == "stricter"
        assert verdict("less", "more") == "looser"

    def test_finds_what_a_city_asks_beyond_the_nation(self) -> None:
        found = verdicts("yingkou-2022-11", "cn-2022-101")

        assert found["arrivals", "3"] == "stricter"
        assert found["high_risk_stay", "2"] == "equal"
        assert found["entry", "5"] == "silent"


class TestTheClasses:
    def test_hold_both_sides_of_every_bound(self) -> None:
        law = shipped().law("bayannur-2022-71")
        found = list(persons((law,), "high_risk_stay"))
        start = found[0].start

        assert start is not None
        ago = {(start - stay.last_day).days for person in found for stay in person.stays}
        assert ago == {7, 8}
        assert len(found) == len(set(found))
