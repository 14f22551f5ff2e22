"""Which law is in force where, and the provisions that the database knows."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, transaction
from pytest_django import DjangoAssertNumQueries

from accounts.models import Area, AuditEntry, Role
from policy.models import Activation, Provision
from policy.services import (
    NotWaitingError,
    OutsideJurisdictionError,
    SamePersonError,
    UnknownDocumentError,
    approve_activation,
    in_force,
    library,
    load_documents,
    propose_activation,
    withdraw_activation,
)
from tests.factories import make_community, make_grid, make_user, put_in_force

pytestmark = pytest.mark.django_db

BEGIN = datetime(2022, 11, 14, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def grid() -> Area:
    return make_grid(make_community("210800"))


def area(code: str) -> Area:
    found: Area = Area.objects.get(code=code)
    return found


def document_in_force(grid: Area, at: datetime) -> str | None:
    law = in_force(area=grid, at=at)
    return law.id if law else None


class TestLoadDocuments:
    def test_knows_every_provision_of_every_document(self) -> None:
        known = set(Provision.objects.values_list("document", "clause", "subject"))

        for document in library().documents.values():
            for provision in document.provisions:
                assert (document.id, provision.clause, provision.subject) in known

    def test_changes_nothing_the_second_time(self) -> None:
        load_documents()
        before = Provision.objects.count()

        assert load_documents() == 0
        assert Provision.objects.count() == before > 0


class TestInForce:
    def test_is_nothing_where_nobody_put_a_document_in_force(self, grid: Area) -> None:
        assert in_force(area=grid, at=BEGIN) is None

    def test_begins_at_its_moment(self, grid: Area) -> None:
        put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN)

        assert document_in_force(grid, BEGIN - SECOND) is None
        assert document_in_force(grid, BEGIN) == "yingkou-2022-11"

    def test_is_the_most_local_even_when_a_wider_one_is_newer(self, grid: Area) -> None:
        put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN)
        put_in_force("cn-2022-113", area("210000"), effective_from=BEGIN + SECOND)

        assert document_in_force(grid, BEGIN + SECOND) == "yingkou-2022-11"

    def test_is_the_latest_of_those_made_for_one_area(self, grid: Area) -> None:
        put_in_force("cn-2022-113", area("210800"), effective_from=BEGIN + SECOND)
        put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN)

        assert document_in_force(grid, BEGIN) == "yingkou-2022-11"
        assert document_in_force(grid, BEGIN + SECOND) == "cn-2022-113"

    def test_does_not_reach_the_neighbours(self, grid: Area) -> None:
        put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN)

        assert in_force(area=make_grid(make_community("150800")), at=BEGIN) is None

    def test_waits_for_the_second_person(self, grid: Area) -> None:
        proposed = propose(area("210800"))
        assert in_force(area=grid, at=BEGIN) is None

        approve_activation(
            activation=proposed, at=BEGIN + SECOND, by=make_user(Role.ADMINISTRATOR)
        )

        assert document_in_force(grid, BEGIN) is None
        assert document_in_force(grid, BEGIN + SECOND) == "yingkou-2022-11"

    def test_goes_back_to_the_law_before_when_withdrawn(self, grid: Area) -> None:
        put_in_force("cn-2022-101", area("210800"), effective_from=BEGIN)
        newer = put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN + SECOND)

        withdraw_activation(
            activation=newer,
            at=BEGIN + 2 * SECOND,
            by=make_user(Role.ADMINISTRATOR),
            reason="示例",
        )

        assert document_in_force(grid, BEGIN + SECOND) == "yingkou-2022-11"
        assert document_in_force(grid, BEGIN + 2 * SECOND) == "cn-2022-101"

    def test_asks_the_database_once(
        self, grid: Area, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN)

        with django_assert_num_queries(1):
            in_force(area=grid, at=BEGIN)


def propose(where: Area, document: str = "yingkou-2022-11") -> Activation:
    return propose_activation(
        document=document,
        area=where,
        effective_from=BEGIN,
        reason="示例",
        at=BEGIN - SECOND,
        by=make_user(Role.ADMINISTRATOR),
    )


class TestAnActivation:
    def test_of_an_unknown_document_is_refused(self, grid: Area) -> None:
        with pytest.raises(UnknownDocumentError):
            propose(grid, "nowhere-2022-1")

    def test_where_the_issuer_has_no_say_is_refused(self) -> None:
        with pytest.raises(OutsideJurisdictionError):
            propose(make_grid(make_community("150800")))

    def test_inside_the_issuers_area_is_accepted(self, grid: Area) -> None:
        assert propose(grid).pk

    def test_is_not_approved_by_its_proposer(self, grid: Area) -> None:
        proposed = propose(grid)

        with pytest.raises(SamePersonError):
            approve_activation(activation=proposed, at=BEGIN, by=proposed.proposed_by)

    def test_is_not_approved_twice(self, grid: Area) -> None:
        proposed = propose(grid)
        approve_activation(activation=proposed, at=BEGIN, by=make_user(Role.ADMINISTRATOR))

        with pytest.raises(NotWaitingError):
            approve_activation(activation=proposed, at=BEGIN, by=make_user(Role.ADMINISTRATOR))

    def test_is_not_approved_once_withdrawn(self, grid: Area) -> None:
        proposed = propose(grid)
        admin = make_user(Role.ADMINISTRATOR)
        withdraw_activation(activation=proposed, at=BEGIN, by=admin, reason="示例")

        with pytest.raises(NotWaitingError):
            approve_activation(activation=proposed, at=BEGIN, by=admin)

    def test_is_written_down_at_every_step(self, grid: Area) -> None:
        proposed = propose(grid)
        approve_activation(activation=proposed, at=BEGIN, by=make_user(Role.ADMINISTRATOR))

        steps = AuditEntry.objects.filter(subject=f"activation:{proposed.pk}").order_by("pk")
        assert [entry.did for entry in steps] == ["proposed activation", "approved activation"]

    def test_by_one_person_alone_is_refused_by_the_database(self, grid: Area) -> None:
        proposed = propose(grid)

        with pytest.raises(IntegrityError), transaction.atomic():
            Activation.objects.filter(pk=proposed.pk).update(
                approved_by=proposed.proposed_by, approved_at=BEGIN
            )
