"""Every question `visible_to` of every model, asked of the demo."""

from typing import Any

import pytest
from django.apps import apps
from django.db.models import Model

from accounts.exports.models import Export, ExportRequest
from accounts.staff.models import SEES_PEOPLE, Area, Role, User
from residents.relocation.models import Handover, Move
from tests.factories import make_user

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("seeded")]

CANGSHAN, LINHE = "350104", "150802"
MODELS: list[Any] = [
    model for model in apps.get_models() if hasattr(model._default_manager, "visible_to")
]
# Also seen by who asked for them, by auditors, and on both ends of a way.
NOT_BY_PLACE_ALONE = {Export, ExportRequest, Handover, Move}


@pytest.fixture(params=MODELS, ids=lambda model: model._meta.label)
def model(request: pytest.FixtureRequest) -> Any:
    return request.param


def seen(model: Any, user: User) -> set[Model]:
    return set(model.objects.visible_to(user))


def supervisor(*codes: str) -> User:
    return make_user(Role.SUPERVISOR, *Area.objects.filter(code__in=codes))


class TestWhatSomebodySees:
    def test_is_nothing_without_areas(self, model: Any) -> None:
        for role in Role:
            assert not seen(model, make_user(role))

    def test_is_nobody_where_people_are_not_their_work(self, model: Any) -> None:
        if model in {Export, ExportRequest}:
            pytest.skip("is about files")
        for role in set(Role) - SEES_PEOPLE:
            assert not seen(model, make_user(role, *Area.objects.filter(depth=1)))

    def test_is_what_lies_in_their_county_and_in_no_other(self, model: Any) -> None:
        here, there = seen(model, supervisor(CANGSHAN)), seen(model, supervisor(LINHE))

        if model not in NOT_BY_PLACE_ALONE:
            assert not here & there
            assert here | there == seen(model, supervisor(CANGSHAN, LINHE))


class TestTheDemo:
    def test_has_rows_of_most_models_in_both_counties(self) -> None:
        users = supervisor(CANGSHAN), supervisor(LINHE)
        both = [model for model in MODELS if all(seen(model, user) for user in users)]

        assert len(both) >= 8
