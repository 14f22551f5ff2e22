"""The comparison of two documents, as people read it."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from policy import services
from policy.comparison.differences import clause_pairs
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.make_user(Role.AUDITOR))
    return client


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
        found = clause_pairs(services.library(), "bayannur-2022-71", "cn-2022-101")

        verdicts = [pair.finding.verdict for pair in found]
        assert verdicts[0] == "stricter"
        assert verdicts[-1] == "silent"

    def test_says_for_whom_it_is_stricter(self) -> None:
        [pair, *_others] = clause_pairs(services.library(), "bayannur-2022-71", "cn-2022-101")

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
