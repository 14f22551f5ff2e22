"""One role owns the tables and migrates, another serves."""

import pytest
from django.db import connection
from pytest_django import Settings

from portal import roles

pytestmark = pytest.mark.django_db(transaction=True)


class TestAsOwner:
    def test_is_who_the_second_address_names_and_only_meanwhile(self, settings: Settings) -> None:
        settings.DATABASE_MIGRATION_URL = "postgres://the_owner:secret@db.example/wangge"
        before = dict(connection.settings_dict)

        with roles.as_owner():
            asked = connection.settings_dict
            assert (asked["USER"], asked["PASSWORD"]) == ("the_owner", "secret")
            assert (asked["HOST"], asked["NAME"]) == ("db.example", "wangge")
        assert connection.settings_dict == before

    def test_is_who_serves_where_there_is_one_address(self, settings: Settings) -> None:
        settings.DATABASE_MIGRATION_URL = ""
        before = dict(connection.settings_dict)

        with roles.as_owner():
            assert connection.settings_dict == before
