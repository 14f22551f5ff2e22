"""What somebody who is signed in was shown is kept nowhere."""

from contextlib import closing

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from tests.factories import make_case, make_grid, make_place, make_user

pytestmark = pytest.mark.django_db


class TestAnAnswer:
    @pytest.mark.parametrize("name", ["dashboard", "case_list", "inbox", "resident_list"])
    def test_about_people_is_not_to_be_stored(self, client: Client, name: str) -> None:
        client.force_login(make_user(Role.SUPERVISOR, make_grid()))
        response = client.get(reverse(name))
        assert response.status_code == 200
        assert "no-store" in response.headers["Cache-Control"]

    def test_with_an_uncovered_name_is_not_to_be_stored(self, client: Client) -> None:
        case = make_case(make_place("yingkou-2022-11", "210800"))
        client.force_login(make_user(Role.GRID_STAFF, case.grid))
        response = client.post(reverse("case_uncover", args=[case.key]))
        assert "no-store" in response.headers["Cache-Control"]

    @pytest.mark.parametrize("path", ["/nowhere/", "/audit/"])
    def test_that_refuses_is_not_to_be_stored(self, client: Client, path: str) -> None:
        client.force_login(make_user(Role.SUPERVISOR, make_grid()))
        response = client.get(path)
        assert response.status_code in {403, 404}
        assert "no-store" in response.headers["Cache-Control"]

    def test_that_is_a_static_file_may_be_stored(self, client: Client) -> None:
        client.force_login(make_user(Role.SUPERVISOR, make_grid()))
        with closing(client.get("/static/bootstrap/css/bootstrap.min.css")) as response:
            assert response.status_code == 200
            assert "no-store" not in response.headers["Cache-Control"]
