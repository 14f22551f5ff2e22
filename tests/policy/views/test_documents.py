import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area, Role
from policy import services
from policy.engine.documents.library import shipped
from policy.views.documents import clauses_of
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.make_user(Role.AUDITOR))
    return client


class TestTheListOfDocuments:
    def test_names_every_document_of_the_library(self, reader: Client) -> None:
        page = reader.get(reverse("document_list")).content.decode()

        for document in services.library().documents.values():
            assert reverse("document_detail", args=[document.id]) in page

    def test_says_what_is_in_force_in_the_readers_areas(self, client: Client) -> None:
        grid = factories.make_grid()
        city = Area.objects.get(code=grid.code[:4] + "00")
        factories.put_in_force("fujian-2022-12", city)
        client.force_login(factories.make_user(Role.GRID_STAFF, grid))

        response = client.get(reverse("document_list"))

        [(area, law)] = response.context["mine"]
        assert (area, law.id) == (grid, "fujian-2022-12")

    def test_asks_few_queries_however_many_documents(
        self, reader: Client, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            reader.get(reverse("document_list"))


class TestADocumentsPage:
    @pytest.mark.parametrize("document", sorted(shipped().documents))
    def test_shows_each_clause_by_its_number(self, reader: Client, document: str) -> None:
        response = reader.get(reverse("document_detail", args=[document]))

        page = response.content.decode()
        for clause in services.library().documents[document].clauses:
            assert f'id="clause-{clause}"' in page

    def test_leaves_no_clause_without_a_word(self) -> None:
        for document in services.library().documents.values():
            for clause in clauses_of(document):
                assert clause.provisions or clause.without, (document.id, clause.number)

    def test_names_the_parent_that_speaks_where_it_is_silent(self, reader: Client) -> None:
        response = reader.get(reverse("document_detail", args=["yingkou-2022-11"]))

        inherited = {document.id: subjects for document, subjects in response.context["inherited"]}
        assert "close_contacts" in inherited["cn-2022-101"]
        assert "high_risk_stay" not in inherited["cn-2022-101"]

    def test_speaks_english_to_who_asked_for_it(self, reader: Client) -> None:
        page = reader.get(
            reverse("document_detail", args=["cn-2022-101"]), headers={"accept-language": "en"}
        ).content.decode()

        assert "Clause 10" in page
        assert "five central days" in page

    def test_is_not_there_for_an_unknown_document(self, reader: Client) -> None:
        assert reader.get(reverse("document_detail", args=["cn-2099"])).status_code == 404
