import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from policy import services
from policy.comparison.differences import pairs
from policy.engine.documents.schema import SUBJECTS
from policy.views.subjects import history
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.make_user(Role.AUDITOR))
    return client


class TestTheHistoryOfASubject:
    @pytest.mark.parametrize("subject", SUBJECTS)
    def test_names_each_clause_that_speaks_on_it(self, reader: Client, subject: str) -> None:
        page = reader.get(reverse("subject_detail", args=[subject])).content.decode()

        for document in services.library().documents.values():
            for provision in document.provisions:
                if provision.subject == subject:
                    address = reverse("document_detail", args=[document.id])
                    assert f"{address}#clause-{provision.clause}" in page

    def test_goes_by_the_day_in_force(self) -> None:
        days = [
            station.document.in_force_from
            for station in history(services.library(), "close_contacts")
        ]

        assert days == sorted(days)
        assert len(days) == len(services.library().documents)

    def test_says_who_speaks_for_a_silent_document(self) -> None:
        speakers = {
            station.document.id: station.speaker.id if station.speaker else None
            for station in history(services.library(), "close_contacts")
        }

        assert speakers["yingkou-2022-11"] == "cn-2022-101"
        assert speakers["fujian-2022-12"] is None

    def test_is_not_there_for_an_unknown_subject(self, reader: Client) -> None:
        assert reader.get(reverse("subject_detail", args=["weather"])).status_code == 404


class TestTheComparison:
    def test_marks_a_verdict_by_word_and_shape(self, reader: Client) -> None:
        page = reader.get(
            reverse("comparison"),
            {"policy": "bayannur-2022-71", "with": "cn-2022-101"},
            headers={"accept-language": "en"},
        ).content.decode()

        assert '<b aria-hidden="true">▲</b> Stricter' in page
        assert '<b aria-hidden="true">＝</b> Equal' in page

    def test_puts_the_stricter_clauses_first(self) -> None:
        found = pairs(services.library(), "bayannur-2022-71", "cn-2022-101")

        verdicts = [pair.finding.verdict for pair in found]
        assert verdicts[0] == "stricter"
        assert verdicts[-1] == "silent"

    def test_says_for_whom_it_is_stricter(self) -> None:
        [pair, *_others] = pairs(services.library(), "bayannur-2022-71", "cn-2022-101")

        assert pair.more_for
        assert pair.theirs is not None
        assert (pair.theirs.document, pair.theirs.clause) == ("cn-2022-101", "15")

    def test_takes_the_parent_where_nothing_else_is_asked(self, reader: Client) -> None:
        response = reader.get(reverse("comparison"), {"policy": "fujian-2022-12"})

        assert response.context["other"] == "cn-2022-113"
        assert response.context["pairs"]

    @pytest.mark.parametrize(
        "asked",
        [{}, {"policy": "cn-2099"}, {"policy": "cn-2022-101", "with": "cn-2022-101"}],
    )
    def test_offers_a_choice_for_what_cannot_be_compared(
        self, reader: Client, asked: dict[str, str]
    ) -> None:
        response = reader.get(reverse("comparison"), asked)

        assert response.status_code == 200
        assert not response.context["pairs"]

    def test_compares_any_two_documents_in_few_queries(
        self, reader: Client, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            reader.get(
                reverse("comparison"), {"policy": "yingkou-2022-11", "with": "bayannur-2022-71"}
            )
