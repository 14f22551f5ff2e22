"""The page of a decision: what it has changed, and what it has not yet."""

from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area, Role
from policy.models import Activation
from quarantine.models import Case
from quarantine.switching import previews_seen
from quarantine.switching.preview import SwitchOutcome, effect_of, preview
from quarantine.switching.sweep import sweep
from tests.factories import make_case, make_place, make_user, moment, put_in_force

pytestmark = pytest.mark.django_db

DAY = date(2022, 12, 1)
SWITCH = moment(date(2022, 12, 7), 0)
COUNTY = "350104"
ENGLISH = {"accept-language": "en"}


@pytest.fixture
def grid() -> Area:
    return make_place("cn-2022-101", COUNTY)


@pytest.fixture
def contact(grid: Area) -> Case:
    return make_case(grid, on=DAY + timedelta(days=4), exposure="close_contact", arrived_from=None)


@pytest.fixture
def ten(contact: Case) -> Activation:
    county = Area.objects.get(code=COUNTY)
    return put_in_force("cn-2022-113", county, effective_from=SWITCH)


@pytest.fixture
def administrator(client: Client, contact: Case) -> Client:
    client.force_login(make_user(Role.ADMINISTRATOR, Area.objects.get(code=COUNTY)))
    return client


def at(monkeypatch: pytest.MonkeyPatch, hours: int) -> None:
    """Let the portal believe that it is so long after the switch."""
    now = SWITCH + timedelta(hours=hours)
    monkeypatch.setattr("common.clock.now", lambda: now)
    monkeypatch.setattr("common.clock.today", now.date)


class TestTheDayBefore:
    def test_nothing_is_said_to_be_done(
        self, administrator: Client, ten: Activation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        at(monkeypatch, -12)

        address = reverse("activation_detail", args=[ten.pk])
        page = administrator.get(address, headers=ENGLISH).content.decode()

        assert "until then all cases stay as they are" in page
        assert "All cases stand under what is in force" not in page


class TestAProposal:
    def test_shows_every_value_that_will_decide_beside_what_is_in_force(
        self, administrator: Client, contact: Case
    ) -> None:
        proposer = make_user(Role.ADMINISTRATOR)
        proposal = Activation.objects.create(
            document="cn-2022-113",
            area=Area.objects.get(code=COUNTY),
            effective_from=SWITCH,
            reason="示例",
            proposed_by=proposer,
            proposer_employer=proposer.employer,
            proposed_at=SWITCH,
        )

        response = administrator.get(reverse("activation_detail", args=[proposal.pk]))

        page = response.content.decode()
        [in_force, *_others] = response.context["review"].beside
        assert in_force.relation == "in_force"
        assert in_force.comparison.other.id == contact.law
        for provision in response.context["review"].written.provisions:
            for line in provision.lines:
                assert line.label.zh in page
                assert all(part.zh in page for part in line.parts)
        for inherited in response.context["review"].inherited:
            assert f'id="{inherited.document.id}-clause-' in page
        assert reverse("document_file", args=["cn-2022-113"]) in page
        assert reverse("document_examples", args=["cn-2022-113"]) in page


class TestAfterwards:
    def test_the_numbers_are_those_that_the_approver_saw_and_lead_to_the_people(
        self, administrator: Client, ten: Activation, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = preview(activation=ten, at=SWITCH)
        approver = ten.approved_by
        assert approver
        previews_seen.note(activation=ten, switch_preview=found, at=SWITCH, by=approver)
        sweep(at=SWITCH)
        at(monkeypatch, 1)

        page = administrator.get(
            reverse("activation_preview", args=[ten.pk]), {"applied": "1"}, headers=ENGLISH
        ).content.decode()

        assert effect_of(activation=ten, at=SWITCH).counts == found.counts
        assert found.counts[SwitchOutcome.SHORTENED] == 1
        assert "As the approver saw it." in page
        people = administrator.get(
            reverse("activation_people", args=[ten.pk]),
            {"applied": "1", "outcome": "shortened"},
        )
        (row,) = people.context["rows"]
        assert row.before.earliest_release > row.after.earliest_release

    def test_a_difference_is_said_with_its_cause(
        self, administrator: Client, ten: Activation, grid: Area, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        found = preview(activation=ten, at=SWITCH)
        approver = ten.approved_by
        assert approver
        previews_seen.note(activation=ten, switch_preview=found, at=SWITCH, by=approver)
        sweep(at=SWITCH)
        make_case(
            grid,
            on=SWITCH.date(),
            at=SWITCH + timedelta(minutes=30),
            exposure="close_contact",
            arrived_from=None,
        )
        at(monkeypatch, 1)

        page = administrator.get(
            reverse("activation_preview", args=[ten.pk]), {"applied": "1"}, headers=ENGLISH
        ).content.decode()

        assert "The approver saw other numbers" in page
        assert "Since then 1 came under a measure and 0 ended theirs" in page
