from datetime import datetime, timedelta
from importlib import import_module

import pytest
from django.apps import apps
from django.db.models.functions import Now
from pytest_django import Settings

from reminders import health
from reminders.models import Heartbeat

pytestmark = pytest.mark.django_db


class TestStopped:
    @pytest.mark.parametrize(("seconds", "stopped"), [(290, False), (301, True)])
    def test_begins_after_five_minutes(self, seconds: int, stopped: bool) -> None:
        health.record_heartbeat()
        Heartbeat.objects.update(at=Now() - timedelta(seconds=seconds))

        assert health.sweeps_stopped() is stopped

    def test_is_said_where_no_sweep_ever_ran(self) -> None:
        Heartbeat.objects.all().delete()

        assert health.sweeps_stopped()

    def test_is_not_said_of_a_new_portal(self) -> None:
        Heartbeat.objects.all().delete()
        first = import_module("reminders.migrations.0001_initial")
        first.count_the_installation_as_a_sweep(apps, None)

        assert not health.sweeps_stopped()

    def test_is_known_without_the_cache(self, settings: Settings) -> None:
        settings.CACHES = {
            "default": {
                "BACKEND": "common.cache.Cache",
                "LOCATION": "redis://127.0.0.1:1/0",
            }
        }
        Heartbeat.objects.update(at=datetime.fromisoformat("2020-01-01T00:00+00:00"))

        assert health.troubles_cached() == [health.STOPPED]
