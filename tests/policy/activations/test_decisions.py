"""Two people of two employers decide; of two at once one is first, the other hears of it."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import IntegrityError, InternalError, transaction

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from policy.activations.decisions import (
    ActivationNotWaitingError,
    MomentError,
    OutsideJurisdictionError,
    ProposalWaitsError,
    SameEmployerError,
    SamePersonError,
    UnknownDocumentError,
    WithdrawalReasonError,
    approve_activation,
    propose_activation,
    withdraw_activation,
)
from policy.models import Activation
from policy.services import in_force
from tests.concurrency import at_once
from tests.factories import make_community, make_grid, make_user, put_in_force

pytestmark = pytest.mark.django_db

BEGIN = datetime(2022, 11, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def grid() -> Area:
    return make_grid(make_community("210800"))


def area(code: str = "210800") -> Area:
    found: Area = Area.objects.get(code=code)
    return found


def propose(where: Area, document: str = "yingkou-2022-11", **given: Any) -> Activation:
    return propose_activation(
        document=document,
        area=where,
        effective_from=given.get("effective_from", BEGIN),
        reason="示例",
        at=given.get("at", BEGIN - SECOND),
        by=given.get("by") or make_user(Role.ADMINISTRATOR),
    )


def approve(activation: Activation, by: User | None = None, at: datetime = BEGIN) -> None:
    approve_activation(activation=activation, at=at, by=by or make_user(Role.ADMINISTRATOR))


def withdraw(
    activation: Activation, by: User | None = None, at: datetime = BEGIN, reason: str = "抄错了"
) -> None:
    by = by or make_user(Role.ADMINISTRATOR)
    withdraw_activation(activation=activation, at=at, by=by, reason=reason)


def document_in_force(grid: Area, at: datetime) -> str | None:
    law = in_force(area=grid, at=at)
    return law.id if law else None


class TestProposing:
    def test_an_unknown_document_is_refused(self, grid: Area) -> None:
        with pytest.raises(UnknownDocumentError):
            propose(grid, "nowhere-2022-1")

    def test_where_the_issuer_has_no_say_is_refused(self) -> None:
        with pytest.raises(OutsideJurisdictionError):
            propose(make_grid(make_community("150800")))

    def test_inside_the_issuers_area_is_accepted(self, grid: Area) -> None:
        assert propose(grid).pk

    def test_needs_a_known_employer(self, grid: Area) -> None:
        with pytest.raises(SameEmployerError):
            propose(grid, by=make_user(Role.ADMINISTRATOR, employer=""))

    def test_for_a_day_before_the_documents_own_is_refused(self, grid: Area) -> None:
        with pytest.raises(MomentError, match="2022-11-14"):
            propose(grid, effective_from=BEGIN - timedelta(days=1))

    def test_for_a_moment_behind_the_law_in_force_is_refused(self, grid: Area) -> None:
        put_in_force("cn-2022-101", area(), effective_from=BEGIN + SECOND)

        with pytest.raises(MomentError):
            propose(area(), at=BEGIN + 2 * SECOND)

    def test_for_a_slip_of_the_year_is_refused(self, grid: Area) -> None:
        with pytest.raises(MomentError):
            propose(grid, effective_from=BEGIN.replace(year=2222))

    def test_waits_its_turn_behind_another_proposal_and_is_told_whose(self, grid: Area) -> None:
        first = propose(area(), by=make_user(Role.ADMINISTRATOR, name="林甲", employer="街道"))

        with pytest.raises(ProposalWaitsError, match=r"2022-11-14 07:59") as refused:
            propose(area(), "cn-2022-101")
        assert refused.value.waiting == first
        assert "林甲" in refused.value.sentence
        assert "街道" in refused.value.sentence

    def test_is_possible_again_once_the_other_was_withdrawn(self, grid: Area) -> None:
        withdraw(propose(area()))

        assert propose(area()).pk


class TestApproving:
    def test_puts_the_document_in_force(self, grid: Area) -> None:
        proposed = propose(area())
        assert in_force(area=grid, at=BEGIN) is None

        approve(proposed, at=BEGIN + SECOND)

        assert document_in_force(grid, BEGIN) is None
        assert document_in_force(grid, BEGIN + SECOND) == "yingkou-2022-11"

    def test_of_two_from_the_same_moment_lets_the_later_one_hold(self, grid: Area) -> None:
        approve(propose(area(), "cn-2022-101"))
        approve(propose(area()), at=BEGIN + SECOND)

        assert document_in_force(grid, BEGIN) == "cn-2022-101"
        assert document_in_force(grid, BEGIN + SECOND) == "yingkou-2022-11"

    def test_is_not_for_the_proposer(self, grid: Area) -> None:
        proposed = propose(grid)

        with pytest.raises(SamePersonError):
            approve(proposed, by=proposed.proposed_by)

    @pytest.mark.parametrize("theirs", ["Health office", "HEALTH OFFICE", ""])
    def test_is_not_for_a_colleague(self, grid: Area, theirs: str) -> None:
        proposed = propose(grid, by=make_user(Role.ADMINISTRATOR, employer="Health office"))
        colleague = make_user(Role.ADMINISTRATOR, employer=theirs)

        with pytest.raises(SameEmployerError):
            approve(proposed, by=colleague)
        with pytest.raises(InternalError, match="two_employers"), transaction.atomic():
            Activation.objects.filter(pk=proposed.pk).update(
                approved_by=colleague, approver_employer=theirs, approved_at=BEGIN
            )

    def test_is_not_for_who_became_a_colleague_or_was_one(self, grid: Area) -> None:
        proposer = make_user(Role.ADMINISTRATOR, employer="街道")
        proposed = propose(grid, by=proposer)
        User.objects.filter(pk=proposer.pk).update(employer="疾控")

        for theirs in ("街道", "疾控"):
            with pytest.raises(SameEmployerError):
                approve(
                    Activation.objects.get(pk=proposed.pk),
                    by=make_user(Role.ADMINISTRATOR, employer=theirs),
                )

    def test_under_a_false_employer_is_refused_by_the_database(self, grid: Area) -> None:
        proposed = propose(grid, by=make_user(Role.ADMINISTRATOR, employer="街道"))
        colleague = make_user(Role.ADMINISTRATOR, employer="街道")

        with pytest.raises(InternalError, match="two_employers"), transaction.atomic():
            Activation.objects.filter(pk=proposed.pk).update(
                approved_by=colleague, approver_employer="疾控", approved_at=BEGIN
            )

    def test_twice_names_who_was_first(self, grid: Area) -> None:
        proposed = propose(grid)
        approve(proposed, by=make_user(Role.ADMINISTRATOR, name="林乙"))

        with pytest.raises(ActivationNotWaitingError, match=r"林乙.*2022-11-14 08:00"):
            approve(proposed)

    def test_what_was_withdrawn_names_who_did_it_and_why(self, grid: Area) -> None:
        proposed = propose(grid)
        withdraw(proposed, by=make_user(Role.ADMINISTRATOR, name="林丙"))

        with pytest.raises(ActivationNotWaitingError, match=r"林丙.*抄错了"):
            approve(proposed)

    def test_alone_is_refused_by_the_database(self, grid: Area) -> None:
        proposed = propose(grid)

        with pytest.raises((IntegrityError, InternalError)), transaction.atomic():
            Activation.objects.filter(pk=proposed.pk).update(
                approved_by=proposed.proposed_by, approved_at=BEGIN
            )


class TestWithdrawing:
    def test_lets_the_law_before_hold_again(self, grid: Area) -> None:
        put_in_force("cn-2022-101", area(), effective_from=BEGIN)
        newer = put_in_force("yingkou-2022-11", area(), effective_from=BEGIN + SECOND)

        withdraw(newer, at=BEGIN + 2 * SECOND)

        assert document_in_force(grid, BEGIN + SECOND) == "yingkou-2022-11"
        assert document_in_force(grid, BEGIN + 2 * SECOND) == "cn-2022-101"

    @pytest.mark.parametrize("reason", ["", "  ", "长" * 201])
    def test_needs_a_reason_that_can_be_kept(self, grid: Area, reason: str) -> None:
        with pytest.raises(WithdrawalReasonError):
            withdraw(propose(grid), reason=reason)

    def test_without_a_reason_is_refused_by_the_database(self, grid: Area) -> None:
        proposed = propose(grid)

        with pytest.raises(InternalError), transaction.atomic():
            Activation.objects.filter(pk=proposed.pk).update(
                withdrawn_by=proposed.proposed_by, withdrawn_at=BEGIN
            )

    def test_twice_names_who_was_first(self, grid: Area) -> None:
        proposed = propose(grid)
        withdraw(proposed, by=make_user(Role.ADMINISTRATOR, name="林丁"))

        with pytest.raises(ActivationNotWaitingError, match=r"林丁"):
            withdraw(proposed)


class TestAnActivation:
    def test_is_written_down_at_every_step(self, grid: Area) -> None:
        proposed = propose(grid)
        approve(proposed)
        withdraw(proposed)

        steps = AuditEntry.objects.filter(subject=f"activation:{proposed.pk}").order_by("pk")
        assert [entry.did for entry in steps] == [
            "proposed activation",
            "approved activation",
            "withdrew activation",
        ]

    @pytest.mark.parametrize(
        "change",
        [
            {"document": "cn-2022-101"},
            {"effective_from": BEGIN + SECOND},
            {"reason": "另一个"},
            {"approved_at": BEGIN - SECOND},
        ],
    )
    def test_never_changes_what_was_decided(self, grid: Area, change: dict[str, Any]) -> None:
        decided = put_in_force("yingkou-2022-11", area(), effective_from=BEGIN)

        with pytest.raises(InternalError), transaction.atomic():
            Activation.objects.filter(pk=decided.pk).update(**change)

    def test_once_withdrawn_stays_so(self, grid: Area) -> None:
        proposed = propose(grid)
        withdraw(proposed)

        with pytest.raises(InternalError), transaction.atomic():
            Activation.objects.filter(pk=proposed.pk).update(withdrawn_by=None, withdrawn_at=None)


@pytest.mark.django_db(transaction=True)
class TestTwoAdministratorsAtOnce:
    """Each round on connections of their own, let go at the same moment."""

    ROUNDS = 6

    def test_propose_for_one_area_and_one_is_told_of_the_other(self, grid: Area) -> None:
        people = [make_user(Role.ADMINISTRATOR, name=f"人{number}") for number in range(4)]
        for _ in range(self.ROUNDS):
            answers = at_once(*(partial(propose, area(), by=person) for person in people))

            [winner] = [answer for answer in answers if isinstance(answer, Activation)]
            told = [answer for answer in answers if isinstance(answer, ProposalWaitsError)]
            assert len(told) == len(people) - 1
            assert all(winner.proposed_by.name in error.sentence for error in told)
            withdraw(winner)

    def test_approve_one_proposal_and_one_is_told_of_the_other(self, grid: Area) -> None:
        people = [make_user(Role.ADMINISTRATOR, name=f"人{number}") for number in range(4)]
        for _ in range(self.ROUNDS):
            proposed = propose(area())
            answers = at_once(*(partial(approve, proposed, by=person) for person in people))

            proposed.refresh_from_db()
            assert proposed.approved_by is not None
            told = [answer for answer in answers if isinstance(answer, ActivationNotWaitingError)]
            assert len(told) == len(people) - 1
            assert all(proposed.approved_by.name in error.sentence for error in told)
            withdraw(proposed)

    def test_withdraw_and_approve_at_once_and_both_know_what_became_of_it(
        self, grid: Area
    ) -> None:
        for _ in range(self.ROUNDS):
            proposed = propose(area())
            first, second = make_user(Role.ADMINISTRATOR), make_user(Role.ADMINISTRATOR)
            approval, withdrawal, other = at_once(
                partial(approve, proposed, by=first),
                partial(withdraw, proposed, by=first),
                partial(withdraw, proposed, by=second),
            )

            proposed.refresh_from_db()
            assert proposed.withdrawn_by in (first, second)
            # One withdrew, the other was told; an approval came before that or was refused.
            assert [
                isinstance(each, ActivationNotWaitingError) for each in (withdrawal, other)
            ].count(True) == 1
            assert (proposed.approved_at is None) == isinstance(
                approval, ActivationNotWaitingError
            )
