"""Every rule that needs two people asks the same function, and the database refuses, too."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, models, transaction

from accounts.exports import requests
from accounts.exports.models import ExportRequest
from accounts.staff.models import Area, Role, User
from accounts.voices import independence
from accounts.voices.models import Intervention
from common.errors import RefusedError
from policy import drafts, services
from policy.activations import decisions
from policy.models import Activation, StoredDocument
from quarantine.acts import outings
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle
from residents.openings import services as openings
from residents.openings.models import Opening
from tests.factories import NOW, make_case, make_place, make_user
from tests.policy.test_drafts import NOTICE

pytestmark = pytest.mark.django_db

Act = Callable[[User], object]


def activation(first: User, area: Area) -> Act:
    proposal = decisions.propose_activation(
        document="yingkou-2022-11", area=area, effective_from=NOW, reason="示例", at=NOW, by=first
    )
    return lambda second: decisions.approve_activation(activation=proposal, at=NOW, by=second)


def draft(first: User, area: Area) -> Act:
    uploaded = drafts.upload(content=NOTICE, name="notice.yaml", at=NOW, by=first)
    return lambda second: drafts.approve(draft=uploaded, at=NOW, by=second)


def _asked(first: User, area: Area) -> ExportRequest:
    return requests.ask(
        what="residents",
        area=area,
        filters={},
        fields=["phone"],
        kind="xlsx",
        purpose="medical",
        reason="转诊",
        at=NOW,
        by=first,
    )


def unmasked(first: User, area: Area) -> Act:
    asked = _asked(first, area)
    return lambda second: requests.approve(request=asked, at=NOW, by=second)


def no_unmasked(first: User, area: Area) -> Act:
    asked = _asked(first, area)
    return lambda second: requests.refuse(request=asked, reason="示例", at=NOW, by=second)


def outing(first: User, area: Area) -> Act:
    asked = outings.ask_outing(
        case=make_case(area),
        day=NOW.date(),
        purpose=OutingPurpose.MEDICAL,
        vehicle=Vehicle.ESCORTED,
        mask=Mask.N95,
        reason="示例",
        at=NOW,
        by=first,
    )
    return lambda second: outings.approve_outing(asked=asked, at=NOW, by=second)


def opening(first: User, area: Area) -> Act:
    opened = Opening.objects.create(
        resident=make_case(area).resident, by=first, reason="示例", until=NOW
    )
    return lambda second: openings.take_note(opening=opened, by=second)


RULES = [activation, draft, unmasked, no_unmasked, outing, opening]


@pytest.fixture(autouse=True)
def fresh_library() -> Iterator[None]:
    yield
    services.forget_library()


@pytest.fixture
def area() -> Area:
    return make_place("yingkou-2022-11", "210800")


@pytest.fixture
def maker(area: Area) -> User:
    return make_user(Role.ADMINISTRATOR, *Area.objects.filter(depth=1))


def made(maker: User, area: Area, role: Role = Role.SUPERVISOR) -> User:
    user = make_user(role, area)
    independence.record(account=user, kind=Intervention.Kind.MADE, at=NOW, by=maker)
    return user


@pytest.mark.parametrize("rule", RULES)
class TestARuleOfTwoPeople:
    def test_takes_no_account_for_a_second_voice_to_who_made_it(
        self, rule: Callable[[User, Area], Act], maker: User, area: Area
    ) -> None:
        act = rule(maker, area)

        with pytest.raises(RefusedError):
            act(made(maker, area))

    def test_takes_no_two_accounts_of_one_maker_until_they_are_confirmed(
        self, rule: Callable[[User, Area], Act], maker: User, area: Area
    ) -> None:
        first, second = made(maker, area), made(maker, area)
        act = rule(first, area)
        with pytest.raises(RefusedError):
            act(second)
        with pytest.raises(RefusedError):
            act(maker)

        another = make_user(Role.ADMINISTRATOR, *Area.objects.filter(depth=1))
        independence.confirm(account=second, at=NOW, by=another)

        act(second)


COLUMNS = {
    Activation: ("proposed_by", "approved_by"),
    StoredDocument: ("uploaded_by", "approved_by"),
    ExportRequest: ("asked_by", "approved_by"),
}


class TestTheDatabase:
    @pytest.mark.parametrize("rule", [activation, draft, unmasked])
    def test_refuses_two_accounts_of_one_maker(
        self, rule: Callable[[User, Area], Act], maker: User, area: Area
    ) -> None:
        first, second = made(maker, area), made(maker, area)
        rule(first, area)
        for model, (asker, _) in COLUMNS.items():
            waiting: models.QuerySet[Any] = model._default_manager.filter(**{asker: first})
            if not waiting.exists():
                continue
            decided: dict[str, Any] = {"approved_by": second, "approved_at": NOW}
            if model is not StoredDocument:
                decided["approver_employer"] = second.employer
            if model is ExportRequest:
                decided["valid_until"] = NOW
            with pytest.raises(DatabaseError, match="two_voices"), transaction.atomic():
                waiting.update(**decided)

    def test_refuses_one_voice_that_notes_an_opening(self, maker: User, area: Area) -> None:
        first, second = made(maker, area), made(maker, area)
        opening(first, area)
        opened = Opening.objects.filter(by=first)
        with pytest.raises(DatabaseError, match="two_voices"), transaction.atomic():
            opened.update(seen_by=second, seen_at=NOW)
        with pytest.raises(DatabaseError, match="noted_by_another"), transaction.atomic():
            opened.update(seen_by=first, seen_at=NOW)

        assert opened.update(seen_by=make_user(Role.SUPERVISOR, area), seen_at=NOW)

    def test_guards_every_table_in_which_somebody_approves(self) -> None:
        approving = {
            model
            for model in apps.get_models()
            if any(field.name == "approved_by" for field in model._meta.get_fields())
        }

        guarded = {
            model
            for model in approving
            if "two_voices" in {trigger.name for trigger in getattr(model._meta, "triggers", ())}
        }

        assert guarded == approving
        assert set(COLUMNS) < approving


class TestTheInbox:
    def test_tells_nobody_who_is_no_second_voice(self, maker: User, area: Area) -> None:
        first, second = made(maker, area), made(maker, area)
        independent = make_user(Role.SUPERVISOR, area)
        _asked(first, area)

        assert not ExportRequest.objects.to_decide(second, NOW).exists()
        assert not ExportRequest.objects.to_decide(maker, NOW).exists()
        assert ExportRequest.objects.to_decide(independent, NOW).exists()
