"""Samples and results."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils.translation import override

from accounts.auditing.models import AuditEntry
from common.undo_window import UNDO, TooLateToUndoError
from residents.register.models import Resident
from testing.models import NATResult, Sample
from testing.services import (
    AlreadySampledError,
    CtError,
    FutureError,
    ResultExistsError,
    TubeError,
    record_result,
    take_sample,
    withdraw_result,
    withdraw_sample,
)
from tests.factories import make_resident, make_user, moment

pytestmark = pytest.mark.django_db

NEGATIVE, POSITIVE = NATResult.Outcome.NEGATIVE, NATResult.Outcome.POSITIVE
NOON = moment(date(2022, 11, 20))


def sampled(
    taken_at: datetime = NOON, at: datetime | None = None, resident: Resident | None = None
) -> Sample:
    return take_sample(
        resident=resident or make_resident(), taken_at=taken_at, at=at or taken_at, by=make_user()
    )


def reported(
    sample: Sample,
    *,
    outcome: NATResult.Outcome = NEGATIVE,
    ct: str | None = None,
    reported_at: datetime | None = None,
    at: datetime | None = None,
) -> NATResult:
    reported_at = reported_at or sample.taken_at + timedelta(hours=6)
    return record_result(
        sample=sample,
        outcome=outcome,
        ct=None if ct is None else Decimal(ct),
        reported_at=reported_at,
        at=at or reported_at,
        by=make_user(),
    )


class TestTakeSample:
    def test_counts_for_the_day_in_shanghai(self) -> None:
        assert sampled(moment(date(2022, 11, 20), 0, 1)).day == date(2022, 11, 20)

    def test_refuses_a_second_one_on_the_same_day(self) -> None:
        first = sampled(moment(date(2022, 11, 20), 0, 1))

        with pytest.raises(AlreadySampledError) as refused:
            sampled(moment(date(2022, 11, 20), 23, 59), resident=first.resident)

        assert refused.value.sentence
        assert refused.value.field == "taken_at"

    def test_accepts_one_on_the_next_day(self) -> None:
        first = sampled(moment(date(2022, 11, 20), 23, 59))

        assert sampled(moment(date(2022, 11, 21), 0, 0), resident=first.resident).pk

    def test_accepts_another_once_the_first_was_taken_back(self) -> None:
        first = sampled()
        withdraw_sample(sample=first, at=NOON, by=make_user())

        assert sampled(resident=first.resident).pk != first.pk

    def test_refuses_the_future(self) -> None:
        with pytest.raises(FutureError):
            sampled(NOON + timedelta(seconds=1), at=NOON)

    def test_writes_who_did_it_without_naming_the_resident(self) -> None:
        sample = sampled()

        entry = AuditEntry.objects.latest("pk")
        assert entry.actor == sample.taken_by.key
        assert entry.subject == f"sample:{sample.key}"
        assert "示例" not in str(entry.__dict__)

    def test_refuses_one_of_somebody_who_was_gone_by_then(self) -> None:
        resident = make_resident()
        resident.gone_as, resident.gone_on = Resident.GoneAs.DIED, date(2022, 11, 19)

        with pytest.raises(FutureError):
            sampled(resident=resident)

    def test_of_a_pool_asks_for_the_code_of_its_tube(self) -> None:
        with pytest.raises(TubeError):
            pooled("")

        assert pooled("a-7").tube == "A-7"

    def test_accepts_the_single_tube_that_checks_a_positive_pool(self) -> None:
        pool = pooled("A-7")
        with pytest.raises(AlreadySampledError):
            sampled(resident=pool.resident)

        reported(pool, outcome=POSITIVE)

        assert sampled(resident=pool.resident).day == pool.day
        with pytest.raises(AlreadySampledError):
            sampled(resident=pool.resident)

    def test_of_a_pool_is_refused_while_the_one_before_is_to_be_checked(self) -> None:
        pool = pooled("A-7")
        reported(pool, outcome=POSITIVE)

        with pytest.raises(TubeError):
            pooled("B-1", NOON + timedelta(days=1), resident=pool.resident)


def pooled(tube: str, at: datetime = NOON, *, resident: Resident | None = None) -> Sample:
    return take_sample(
        resident=resident or make_resident(),
        taken_at=at,
        at=at,
        by=make_user(),
        pooled=True,
        tube=tube,
    )


class TestRecordResult:
    def test_keeps_what_the_laboratory_found(self) -> None:
        result = reported(sampled(), outcome=POSITIVE, ct="34.96")

        result.refresh_from_db()
        assert (result.outcome, result.ct) == (POSITIVE, Decimal("34.96"))

    @pytest.mark.parametrize("ct", ["-0.01", "50.01", "NaN", "Infinity", "34.999"])
    def test_refuses_a_ct_value_that_cannot_be(self, ct: str) -> None:
        with pytest.raises(CtError):
            reported(sampled(), ct=ct)

    @pytest.mark.parametrize("ct", ["0", "35.0", "50"])
    def test_accepts_a_ct_value_at_the_ends(self, ct: str) -> None:
        assert reported(sampled(), ct=ct).ct == Decimal(ct)

    def test_refuses_a_second_one(self) -> None:
        sample = sampled()
        reported(sample)

        with pytest.raises(ResultExistsError):
            reported(sample, outcome=POSITIVE)

    def test_says_who_entered_what_and_when_where_there_is_one(self) -> None:
        sample = sampled()
        first = reported(sample, outcome=POSITIVE, ct="27.4")

        with override("en"), pytest.raises(ResultExistsError) as refused:
            reported(sample)

        assert str(first.recorded_by) in refused.value.sentence
        assert "“Positive · Ct 27.40”" in refused.value.sentence
        assert "November 20 18:00" in refused.value.sentence

    def test_takes_no_ct_where_there_is_no_result(self) -> None:
        with pytest.raises(CtError):
            reported(sampled(), outcome=NATResult.Outcome.LOST, ct="20")

    def test_refuses_one_for_a_sample_that_was_taken_back(self) -> None:
        sample = sampled()
        withdraw_sample(sample=sample, at=NOON, by=make_user())

        with pytest.raises(ResultExistsError):
            reported(sample)

    def test_refuses_the_future(self) -> None:
        sample = sampled()

        with pytest.raises(FutureError):
            reported(sample, reported_at=NOON + timedelta(hours=1), at=NOON)

    def test_refuses_one_older_than_its_sample(self) -> None:
        sample = sampled()

        with pytest.raises(FutureError):
            reported(sample, reported_at=NOON - timedelta(seconds=1), at=NOON)


class TestTakingBack:
    def test_is_possible_to_the_end_of_the_time_for_it(self) -> None:
        sample = sampled()

        withdraw_sample(sample=sample, at=NOON + UNDO, by=make_user())

        assert not Sample.objects.valid().exists()

    def test_is_refused_one_second_later(self) -> None:
        sample = sampled()

        with pytest.raises(TooLateToUndoError):
            withdraw_sample(sample=sample, at=NOON + UNDO + timedelta(seconds=1), by=make_user())

    def test_counts_from_the_recording_not_from_the_swab(self) -> None:
        sample = sampled(NOON - timedelta(days=1), at=NOON)

        withdraw_sample(sample=sample, at=NOON + UNDO, by=make_user())

        assert not Sample.objects.valid().exists()

    def test_is_refused_for_a_sample_with_a_result(self) -> None:
        sample = sampled()
        reported(sample, reported_at=NOON)

        with pytest.raises(TooLateToUndoError):
            withdraw_sample(sample=sample, at=NOON, by=make_user())

    def test_is_refused_the_second_time(self) -> None:
        result = reported(sampled(), reported_at=NOON)
        withdraw_result(result=result, at=NOON, by=make_user())

        with pytest.raises(TooLateToUndoError):
            withdraw_result(result=result, at=NOON, by=make_user())

    def test_lets_another_result_be_recorded(self) -> None:
        sample = sampled()
        withdraw_result(result=reported(sample, reported_at=NOON), at=NOON, by=make_user())

        assert reported(sample, outcome=POSITIVE).outcome == POSITIVE


class TestTheDatabase:
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE testing_natresult SET outcome = 'negative'",
            "UPDATE testing_natresult SET ct = 40",
            "DELETE FROM testing_natresult",
            "UPDATE testing_sample SET day = day - 1",
            "DELETE FROM testing_sample",
        ],
    )
    def test_refuses_to_change_a_fact(self, statement: str) -> None:
        reported(sampled(), outcome=POSITIVE, ct="20")

        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
