"""Which law is in force where, and the provisions that the database knows."""

from datetime import UTC, datetime, timedelta

import pytest
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area
from policy.models import Provision
from policy.services import in_force, library, load_documents
from tests.factories import make_community, make_grid, put_in_force

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

    def test_asks_the_database_once(
        self, grid: Area, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        put_in_force("yingkou-2022-11", area("210800"), effective_from=BEGIN)
        library()  # asks at most once a second what was uploaded

        with django_assert_num_queries(1):
            in_force(area=grid, at=BEGIN)
