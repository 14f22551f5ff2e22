from dataclasses import replace
from datetime import UTC, datetime
from html import unescape

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from accounts.staff.models import Area, Role
from policy import services, words, worked_examples
from policy.engine.documents.library import DOCUMENTS, shipped
from policy.engine.wording.written import written
from policy.questions import example_results
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.make_user(Role.AUDITOR))
    return client


class TestTheListOfDocuments:
    def test_names_nothing_as_in_force_that_another_has_taken_the_place_of(
        self, reader: Client
    ) -> None:
        factories.make_community("350104")
        province = Area.objects.get(code="350000")
        factories.put_in_force("cn-2022-113", province)
        factories.put_in_force(
            "fujian-2022-12", province, effective_from=datetime(2022, 12, 8, tzinfo=UTC)
        )

        documents = dict(reader.get(reverse("document_list")).context["documents"])
        named = {known.id: places for known, places in documents.items() if places}
        page = reader.get(reverse("document_detail", args=["cn-2022-113"]))

        assert [one.area for one in named.pop("fujian-2022-12")] == [province]
        assert not named
        assert not page.context["activations"]

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
            for clause in written(document).clauses:
                assert clause.provisions or clause.without, (document.id, clause.number)

    @pytest.mark.parametrize("document", sorted(shipped().documents))
    @pytest.mark.parametrize("language", ["zh-hans", "en"])
    def test_shows_every_value_that_decides(
        self, reader: Client, document: str, language: str
    ) -> None:
        response = reader.get(
            reverse("document_detail", args=[document]), headers={"accept-language": language}
        )

        page = unescape(response.content.decode())
        for provision in written(services.library().documents[document]).provisions:
            for line in provision.lines:
                for part in line.parts:
                    with translation.override(language):
                        assert words.reason(part) in page

    def test_shows_its_file_with_the_line_of_each_provision(self, reader: Client) -> None:
        page = reader.get(reverse("document_detail", args=["cangshan-2022-324"])).content.decode()

        lines = (DOCUMENTS / "cangshan-2022-324.yaml").read_text().splitlines()
        at = lines.index("  - subject: close_contacts") + 1
        assert f'href="#file-{at}"' in page
        assert f'<li id="file-{at}"><code>  - subject: close_contacts</code></li>' in page

    def test_marks_what_differs_from_its_parent(self, reader: Client) -> None:
        page = reader.get(reverse("document_detail", args=["cn-2022-113"])).content.decode()

        assert "<mark>第5天核酸</mark>" in page
        assert "第1阶段：集中隔离，5天，第1、2、3、5天核酸，不得外出，赋码管理。" in page

    def test_warns_where_summary_and_values_differ(self, reader: Client) -> None:
        page = reader.get(reverse("document_detail", args=["cn-2022-113"])).content.decode()

        assert "概要提到80岁，取值里没有" in page

    def test_is_asked_for_with_few_queries(
        self, reader: Client, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        address = reverse("document_detail", args=["cn-2022-113"])
        reader.get(address)

        with django_assert_max_num_queries(12):  # type: ignore[operator]
            reader.get(address)

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
        assert "five days of central isolation" in page

    def test_is_not_there_for_an_unknown_document(self, reader: Client) -> None:
        assert reader.get(reverse("document_detail", args=["cn-2099"])).status_code == 404


class TestTheWorkedExamples:
    @pytest.mark.parametrize("document", ["cn-2022-ninth", "hequ-2022-58"])
    def test_are_run_and_shown_with_their_answers(self, reader: Client, document: str) -> None:
        response = reader.get(reverse("document_examples", args=[document]))

        page = response.content.decode()
        for example in worked_examples.of(document):
            assert example.name.zh in unescape(page)
        assert page.count("成立") == len(worked_examples.of(document))
        assert not any(row.wrong for row in response.context["results"])

    def test_that_do_not_hold_stand_first_with_what_the_law_answers(self) -> None:
        right, *rest = worked_examples.of("cn-2022-ninth")
        wrong = replace(right, expect={**right.expect, "earliest_release": "2022-01-01"})

        row = example_results.rows(worked_examples.run([*rest, wrong], shipped()))[0]

        assert row.name == wrong.name.zh
        assert [key for key, _expected, _got in row.wrong] == ["earliest_release"]

    def test_of_an_unknown_document_are_not_there(self, reader: Client) -> None:
        assert reader.get(reverse("document_examples", args=["cn-2099"])).status_code == 404
