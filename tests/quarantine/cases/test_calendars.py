"""What happened to a case, in short: the rows, the text and the database say the same."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from common.errors import RefusedError
from policy.engine.decisions.facts import NATResult
from quarantine.acts import results
from quarantine.cases.calendars import History, calendar_of, decode_history, histories_of
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.models import Case
from testing.models import NATResult as Result
from testing.models import Sample
from tests.factories import make_case, make_place, make_user, moment
from tests.tries import tried

DAY_1 = date(2022, 11, 20)


def nth(number: int) -> date:
    return DAY_1 + timedelta(days=number - 1)


class TestTheShortText:
    def test_says_all_that_dates_depend_on(self) -> None:
        history = History(
            results=[
                NATResult(nth(1), "negative", None, moment(nth(1))),
                NATResult(nth(5), "positive", 27.4, moment(nth(6))),
            ],
            awaited=[nth(3)],
            missed=[(nth(7), nth(8)), (nth(9), nth(12))],
            unclear=[(nth(10), nth(10)), (nth(11), nth(12)), (nth(13), None)],
        )

        text = history.encoded_from(DAY_1)

        assert text == "1- 3 5+27.4@6 7! 9!@12 10? 11?@12 13~"
        assert decode_history(text, DAY_1).encoded_from(DAY_1) == text


ACTS = st.lists(
    st.tuples(
        st.sampled_from(
            ("sample", "pooled", "negative", "positive", "lost", "missed", "check", "result")
        ),
        st.integers(1, 8),
    ),
    min_size=3,
    max_size=14,
)


@pytest.mark.django_db
class TestACase:
    @settings(
        max_examples=25,
        deadline=None,
        suppress_health_check=[HealthCheck.function_scoped_fixture],
    )
    @given(ACTS)
    def test_says_in_short_what_its_rows_say(self, done: list[tuple[str, int]]) -> None:
        with tried():
            case = make_case(make_place("cangshan-2022-324", "350104"), **CONTACT)
            for act, number in done:
                _do(act, number, resident=case.resident_id)

            assert unexplained_cases() == []
            for each in Case.objects.open().select_related("plan"):
                history = histories_of([each])[each.pk].encoded_from(each.day_1)
                laid = calendar_of(each, today=nth(9))
                assert each.history == history
                assert each.next_test_on == laid.next_test_on
                assert each.release_on == laid.earliest_release


CONTACT: dict[str, Any] = {"exposure": "close_contact", "arrived_from": None}


def _do(act: str, number: int, *, resident: int) -> None:
    at, by = moment(nth(9)), make_user()
    case = Case.objects.open().select_related("plan", "grid").filter(resident=resident).first()
    samples = Sample.objects.filter(resident=resident).order_by("pk")
    try:
        if act in ("sample", "pooled") and case:
            pooled = {"pooled": True, "tube": "A1"} if act == "pooled" else {}
            taken = moment(nth(number), 8 + 2 * (act == "sample"))
            results.take_sample(case=case, taken_at=taken, at=at, by=by, **pooled)  # type: ignore[arg-type]
        elif act == "missed" and case and case.next_test_on:
            results.mark_missed(case=case, day=case.next_test_on, reason="示例", at=at, by=by)
        elif act == "check" and (sample := samples.to_check().first()):
            results.take_check(sample=sample, at=at, by=by)
        elif act in Result.Outcome.values and (sample := samples.awaited().first()):
            outcome = Result.Outcome(act)
            results.record_result(
                sample=sample, outcome=outcome, ct=None, reported_at=at, at=at, by=by
            )
    except RefusedError:
        pass
