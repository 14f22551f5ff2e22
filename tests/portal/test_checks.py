"""What an installation is refused for."""

import pytest
from django.conf import settings
from django.db import connection
from pytest_django.fixtures import Settings

from portal import checks
from tests.factories import make_user

pytestmark = pytest.mark.django_db


class TestTheLogOfPostgresql:
    def test_of_the_embedded_one_holds_nothing_personal(self) -> None:
        if settings.EMBEDDED["postgres"]:
            assert not checks.nothing_personal_in_the_log(["default"])

    def test_is_warned_of_where_it_would(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL log_min_error_statement = error")
        (warning,) = checks.nothing_personal_in_the_log(["default"])
        assert "log_min_error_statement" in warning.msg


class TestNoDemoAccounts:
    def test_refuses_the_accounts_of_the_demo_in_production(self, settings: Settings) -> None:
        settings.DEMO = False
        make_user(username="grid.bayannur")

        assert [m.id for m in checks.no_demo_accounts(["default"])] == ["portal.E001"]

    def test_is_content_with_accounts_of_its_own(self, settings: Settings) -> None:
        settings.DEMO = False
        make_user()

        assert not checks.no_demo_accounts(["default"])

    def test_leaves_the_demo_alone(self, settings: Settings) -> None:
        settings.DEMO = True
        make_user(username="grid.bayannur")

        assert not checks.no_demo_accounts(["default"])


class TestTwoRoles:
    @pytest.mark.parametrize(
        ("production", "serves", "warned"),
        [(True, None, True), (True, "wangge", False), (False, None, False)],
    )
    def test_are_asked_for_in_production(
        self, settings: Settings, production: bool, serves: str | None, warned: bool
    ) -> None:
        settings.PRODUCTION, settings.SERVING_ROLE = production, serves

        assert [m.id for m in checks.two_roles(["default"])] == ["portal.W002"] * warned
