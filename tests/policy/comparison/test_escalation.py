from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from policy.comparison import escalation
from policy.engine.documents.library import shipped
from policy.engine.documents.loader import read
from policy.models import Activation, Justification
from tests import factories
from tests.policy.test_drafts import NOTICE

pytestmark = pytest.mark.django_db

# Bayannur asks everybody from outside for a proof of 48 hours; 101号, in force then, does not.
IN_NOVEMBER = datetime(2022, 11, 22, 4, tzinfo=UTC)
STRICTER = ("5", "arrivals")


@pytest.fixture
def bayannur() -> Activation:
    factories.make_place("bayannur-2022-71", "150800")
    return Activation.objects.get(document="bayannur-2022-71")


@pytest.fixture(autouse=True)
def november(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.clock.now", lambda: IN_NOVEMBER)


@pytest.fixture
def supervisor(bayannur: Activation) -> User:
    return factories.make_user(Role.SUPERVISOR, bayannur.area)


def asked_more(place: escalation.LocalExcesses) -> list[tuple[str, str, str]]:
    """Return the clause, the subject and the verdict of each provision that asks more."""
    findings = [excess.pair.finding for excess in place.excesses]
    return [(one.clause, one.subject, one.verdict) for one in findings]


def count() -> int:
    everywhere = escalation.local_excesses(
        activations=Activation.objects.in_force(IN_NOVEMBER).select_related("area"),
        at=IN_NOVEMBER,
    )
    return escalation.count_unjustified(everywhere)


def justify(client: Client, activation: Activation, **given: str) -> Any:
    clause, subject = STRICTER
    return client.post(
        reverse("justify", args=[activation.pk]),
        {"clause": clause, "subject": subject, "text": "口岸城市，货运频繁。", **given},
    )


class TestGoingFurther:
    def test_names_what_asks_more_than_the_nation_alone(self, bayannur: Activation) -> None:
        [place] = escalation.local_excesses(activations=[bayannur], at=IN_NOVEMBER)

        assert place.national == "cn-2022-101"
        assert asked_more(place) == [
            ("5", "arrivals", "stricter"),
            ("4", "listed_areas", "silent"),
            ("2", "low_risk_stay", "silent"),
            ("12", "entry", "silent"),
            ("10", "gatherings", "silent"),
            ("9", "freight", "silent"),
            ("7", "registration", "silent"),
        ]

    def test_names_what_yingkou_asks_where_the_nation_is_silent(self) -> None:
        factories.make_place("yingkou-2022-11", "210800")
        [place] = escalation.local_excesses(
            activations=Activation.objects.select_related("area"), at=IN_NOVEMBER
        )

        assert asked_more(place) == [
            ("3", "arrivals", "stricter"),
            ("1", "arrivals", "stricter"),
            ("9", "screening", "stricter"),
            ("5", "entry", "silent"),
            ("6", "gatherings", "silent"),
            ("7", "gatherings", "silent"),
            ("8", "gatherings", "silent"),
            ("1", "registration", "silent"),
        ]

    def test_names_what_a_local_document_inherits_from_another(self) -> None:
        quiet = NOTICE.replace(b"arrivals", b"infected").replace(
            b"arrived_from: outside_area", b"exposure: infected"
        )
        document = read(quiet.decode(), "notice.yaml")
        library = shipped().with_document(document)
        found = escalation.local_pairs(library, document.id, "cn-2022-113")
        entry = [pair for pair in found if pair.finding.subject == "entry"]

        assert [pair.mine.document for pair in entry] == ["fujian-2022-12"]
        assert [escalation.asks_more(pair) for pair in entry] == [True]

    def test_leaves_national_documents_out(self) -> None:
        grid = factories.make_grid()
        factories.put_in_force("cn-2022-101", Area.objects.get(code=grid.code[:6]))

        assert count() == 0

    def test_compares_with_the_national_document_of_the_day(self, bayannur: Activation) -> None:
        later = datetime(2022, 12, 7, 4, tzinfo=UTC)

        [place] = escalation.local_excesses(activations=[bayannur], at=later)

        assert place.national == "cn-2022-113"

    def test_compares_with_the_national_document_that_was_activated(
        self, bayannur: Activation
    ) -> None:
        factories.put_in_force("cn-2022-113", Area.objects.get(code="150000"))

        [place] = escalation.local_excesses(activations=[bayannur], at=IN_NOVEMBER)

        assert place.national == "cn-2022-113"

    def test_counts_what_nobody_justified(self, bayannur: Activation, supervisor: User) -> None:
        before = count()
        clause, subject = STRICTER

        escalation.justify(
            activation=bayannur,
            clause=clause,
            subject=subject,
            text="口岸城市。",
            at=IN_NOVEMBER,
            by=supervisor,
        )

        assert before >= 1
        assert count() == before - 1

    def test_takes_no_justification_for_what_is_not_stricter(
        self, bayannur: Activation, supervisor: User
    ) -> None:
        with pytest.raises(escalation.NoExcessError):
            escalation.justify(
                activation=bayannur,
                clause="1",
                subject="high_risk_stay",
                text="没有更严。",
                at=IN_NOVEMBER,
                by=supervisor,
            )


class TestThePageOfWhatGoesFurther:
    def test_shows_both_clauses(self, client: Client, supervisor: User) -> None:
        client.force_login(supervisor)

        page = client.get(reverse("escalation_list")).content.decode()

        assert reverse("document_detail", args=["bayannur-2022-71"]) + "#clause-5" in page
        assert reverse("document_detail", args=["cn-2022-101"]) + "#clause-15" in page

    def test_takes_the_places_justification(
        self, client: Client, bayannur: Activation, supervisor: User
    ) -> None:
        client.force_login(supervisor)

        assert justify(client, bayannur).status_code == 302

        given = Justification.objects.get()
        assert (given.area, given.by, given.clause) == (bayannur.area, supervisor, "5")
        assert "口岸城市" in client.get(reverse("escalation_list")).content.decode()
        assert AuditEntry.objects.filter(did="justified a stricter provision").exists()

    def test_wants_a_text(self, client: Client, bayannur: Activation, supervisor: User) -> None:
        client.force_login(supervisor)

        response = justify(client, bayannur, text=" ")

        assert response.status_code == 422
        assert not Justification.objects.exists()
        assert response.context["form"].errors["text"]

    def test_is_closed_to_supervisors_of_other_places(
        self, client: Client, bayannur: Activation
    ) -> None:
        client.force_login(factories.make_user(Role.SUPERVISOR, factories.make_grid()))

        assert justify(client, bayannur).status_code == 404
        assert client.get(reverse("escalation_list")).context["places"] == []

    def test_lets_a_community_justify_what_its_city_put_in_force(
        self, client: Client, bayannur: Activation
    ) -> None:
        community = Area.objects.filter(path__startswith=bayannur.area.path).order_by("-depth")[0]
        client.force_login(factories.make_user(Role.SUPERVISOR, community))

        [place] = client.get(reverse("escalation_list")).context["places"]

        assert place.activation == bayannur
        assert justify(client, bayannur).status_code == 302


class TestTheAdministratorsFirstPage:
    def test_counts_what_waits(self, client: Client, bayannur: Activation) -> None:
        administrator = factories.make_user(Role.ADMINISTRATOR, Area.objects.get(code="150000"))
        client.force_login(administrator)

        response = client.get(reverse("policy_desk"))

        assert list(response.context["in_force"]) == [bayannur]
        assert response.context["unjustified"] == count()

    def test_is_where_administrators_begin(self, client: Client) -> None:
        client.force_login(factories.make_user(Role.ADMINISTRATOR))

        assert client.get(reverse("home")).headers["Location"] == reverse("policy_desk")

    def test_asks_few_queries(
        self,
        client: Client,
        bayannur: Activation,
        django_assert_max_num_queries: pytest.FixtureRequest,
    ) -> None:
        client.force_login(factories.make_user(Role.ADMINISTRATOR, bayannur.area))
        for address in ("policy_desk", "escalation_list"):
            client.get(reverse(address))  # documents are compared once a process
            with django_assert_max_num_queries(12):  # type: ignore[operator]
                client.get(reverse(address))


class TestThePageOfClients:
    def test_shows_a_key_once(self, client: Client) -> None:
        client.force_login(
            factories.make_user(Role.ADMINISTRATOR, factories.make_area(level=Area.Level.COUNTRY))
        )

        made = client.post(reverse("client_list"), {"name": "laboratory"})

        key = made.context["key"]
        assert key in made.content.decode()
        assert key not in client.get(reverse("client_list")).content.decode()

    def test_revokes_a_key(self, client: Client) -> None:
        client.force_login(
            factories.make_user(Role.ADMINISTRATOR, factories.make_area(level=Area.Level.COUNTRY))
        )
        made = client.post(reverse("client_list"), {"name": "laboratory"}).context

        client.post(reverse("client_revoke", args=[made["made"].pk]))

        answer = client.post(
            "/api/ask", {}, content_type="application/json", headers={"x-api-key": made["key"]}
        )
        assert answer.status_code == 401

    def test_says_that_a_name_is_taken(self, client: Client) -> None:
        client.force_login(
            factories.make_user(Role.ADMINISTRATOR, factories.make_area(level=Area.Level.COUNTRY))
        )
        for status in (200, 422):
            made = client.post(reverse("client_list"), {"name": "laboratory"})
            assert made.status_code == status
