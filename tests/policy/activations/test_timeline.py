"""What was in force when: the picture says the same as the query that decides."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area, Role, User
from policy import services
from policy.activations.timeline import timeline, timelines
from policy.models import Activation
from tests.factories import make_community, make_grid, make_user

DAY = timedelta(days=1)
BEGIN = datetime(2022, 12, 7, tzinfo=UTC)
DOCUMENTS = ("cn-2022-101", "cn-2022-113", "fujian-2022-12")

pytestmark = pytest.mark.django_db


def decided(
    area: Area,
    document: str = "cn-2022-113",
    *,
    effective: int = 0,
    approved: int | None = 0,
    withdrawn: int | None = None,
) -> Activation:
    """Make an activation by days after BEGIN; None: not approved, not withdrawn."""
    proposer, approver = make_user(Role.ADMINISTRATOR), make_user(Role.ADMINISTRATOR)
    made = Activation.objects.create(
        document=document,
        area=area,
        effective_from=BEGIN + effective * DAY,
        reason="示例",
        proposed_by=proposer,
        proposer_employer=proposer.employer,
        proposed_at=BEGIN - 30 * DAY,
    )
    if approved is not None:
        made.approved_by, made.approver_employer = approver, approver.employer
        made.approved_at = BEGIN + approved * DAY
        made.save()
    if withdrawn is not None:
        made.withdrawn_by, made.withdrawal_reason = proposer, "抄错了"
        made.withdrawn_at = BEGIN + withdrawn * DAY
        made.save()
    return made


@pytest.fixture
def grid() -> Area:
    return make_grid(make_community("350104"))


def county() -> Area:
    found: Area = Area.objects.get(code="350104")
    return found


def shown(at: datetime = BEGIN + 10 * DAY) -> list[tuple[str, int, int | None, str]]:
    """Return what governed the county: document, from and to in days after BEGIN, state."""
    return [
        (
            span.activation.document,
            (span.begin - BEGIN).days,
            None if span.end is None else (span.end - BEGIN).days,
            span.state,
        )
        for span in timeline(area=county(), at=at).spans
    ]


class TestATimeline:
    def test_shows_what_was_is_and_will_be_in_force(self, grid: Area) -> None:
        decided(county(), "cn-2022-101", effective=0)
        decided(county(), "cn-2022-113", effective=3, approved=5)
        decided(county(), "fujian-2022-12", effective=20, approved=6)

        assert shown() == [
            ("cn-2022-101", 0, 5, "past"),
            ("cn-2022-113", 5, 20, "now"),
            ("fujian-2022-12", 20, None, "upcoming"),
        ]

    def test_shows_that_the_law_before_came_back(self, grid: Area) -> None:
        decided(county(), "cn-2022-101")
        decided(county(), "cn-2022-113", effective=3, approved=3, withdrawn=4)

        assert shown() == [
            ("cn-2022-101", 0, 3, "past"),
            ("cn-2022-113", 3, 4, "past"),
            ("cn-2022-101", 4, None, "now"),
        ]

    def test_shows_nothing_of_what_never_held(self, grid: Area) -> None:
        decided(county(), "cn-2022-113", effective=20, approved=3, withdrawn=4)
        waiting = decided(county(), "cn-2022-101", approved=None)

        assert shown() == []
        assert timeline(area=county(), at=BEGIN).waiting == waiting

    def test_names_each_act_with_who_and_why_the_newest_first(self, grid: Area) -> None:
        activation = decided(county(), withdrawn=4)

        entries = timeline(area=county(), at=BEGIN + 5 * DAY).entries
        assert [(entry.act, entry.who, entry.reason) for entry in entries] == [
            ("withdrawn", activation.proposed_by, "抄错了"),
            ("approved", activation.approved_by, ""),
            ("proposed", activation.proposed_by, "示例"),
        ]

    @settings(max_examples=25, deadline=None)
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["350000", "350104"]),
                st.sampled_from(DOCUMENTS),
                st.integers(0, 9),
                st.integers(0, 9),
                st.none() | st.integers(0, 9),
            ),
            max_size=5,
        )
    )
    def test_agrees_with_the_law_in_force_on_every_day(
        self, rows: list[tuple[str, str, int, int, int | None]]
    ) -> None:
        grid = make_grid(make_community("350104"))
        for code, document, effective, approved, withdrawn in rows:
            decided(
                Area.objects.get(code=code),
                document,
                effective=effective,
                approved=approved,
                withdrawn=withdrawn,
            )

        history = timeline(area=grid, at=BEGIN)
        for day in range(-1, 11):
            at = BEGIN + day * DAY
            law = services.in_force(area=grid, at=at)
            said = [
                span.activation.document
                for span in history.spans
                if span.begin <= at and (span.end is None or at < span.end)
            ]
            assert said == ([law.id] if law else [])
        assert all(0 <= float(bar.start) <= 100 for bar in history.bars)


class TestThePagesOfDecisions:
    @pytest.fixture
    def administrator(self, client: Client, grid: Area) -> User:
        user = make_user(Role.ADMINISTRATOR, county())
        client.force_login(user)
        return user

    def test_ask_few_queries_however_many_areas(
        self, administrator: User, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        decided(Area.objects.get(code="350000"), "cn-2022-101")
        decided(county(), effective=1, approved=1)

        with django_assert_num_queries(3):
            [found] = timelines(user=administrator, at=BEGIN + DAY)
        assert [span.activation.document for span in found.spans] == ["cn-2022-101", "cn-2022-113"]

    def test_show_the_history_of_an_area(self, administrator: User, client: Client) -> None:
        decided(county(), withdrawn=4)

        page = client.get(reverse("activation_history", args=["350104"])).content.decode()

        assert "抄错了" in page
        assert administrator.name

    def test_lead_from_a_refused_proposal_to_the_one_that_waits(
        self, administrator: User, client: Client
    ) -> None:
        waiting = decided(county(), approved=None)

        response = client.post(
            reverse("activation_new"),
            {
                "document": "cn-2022-113",
                "area": county().pk,
                "effective_from": "2022-12-20T00:00",
                "reason": "示例",
            },
        )

        assert response.status_code == 422
        assert reverse("activation_detail", args=[waiting.pk]) in response.content.decode()
