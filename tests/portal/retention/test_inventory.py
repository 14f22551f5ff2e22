"""Nothing that leads to a person is forgotten: by the file for them, or by the purge."""

from django.apps import apps
from django.db import models

from portal.models import Purge
from portal.retention.inventory import (
    BY_PSEUDONYM,
    HOLDINGS,
    OF_FREEZING,
    PURGED,
    tables_with_people,
)
from residents.register.models import Household, Resident

OURS = {"accounts", "policy", "portal", "quarantine", "reminders", "residents", "testing"}


def our_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in OURS]


def test_every_table_that_leads_to_a_person_stands_in_the_inventory() -> None:
    known = {holding.model for holding in HOLDINGS.values() if holding.people}

    assert tables_with_people(our_models()) == known - {Household} | {*BY_PSEUDONYM, *OF_FREEZING}


def test_a_new_table_that_leads_to_a_person_would_be_missed() -> None:
    class Diary(models.Model):  # noqa: DJ008
        about = models.ForeignKey(Resident, models.CASCADE, related_name="+")

        class Meta:
            app_label = "not_ours"
            managed = False

    class Page(models.Model):  # noqa: DJ008
        diary = models.ForeignKey(Diary, models.CASCADE, related_name="+")

        class Meta:
            app_label = "not_ours"
            managed = False

    assert {Diary, Page} <= tables_with_people([*our_models(), Diary, Page])
    assert Purge not in tables_with_people(our_models())


def test_rows_go_after_what_points_to_them() -> None:
    order: dict[object, int] = {holding.model: place for place, holding in enumerate(PURGED)}
    for model, place in ((each.model, order[each.model]) for each in PURGED):
        for field in model._meta.concrete_fields:
            there = order.get(field.related_model)
            assert there is None or field.related_model is model or there > place, (model, field)
