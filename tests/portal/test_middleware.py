"""A NUL in what is asked is no error of ours."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from tests.factories import make_grid, make_user

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("asked", ["?area=%00", "?%00=1", "?area=1&area=2%00"])
def test_in_an_address_it_is_a_bad_request(client: Client, asked: str) -> None:
    client.force_login(make_user(Role.SUPERVISOR, make_grid()))
    assert client.get(reverse("dashboard") + asked).status_code == 400


def test_in_a_path_it_is_not_found(client: Client) -> None:
    client.force_login(make_user(Role.ADMINISTRATOR, make_grid()))
    assert client.get("/areas/%00/").status_code == 404


def test_in_a_form_it_is_dropped(client: Client) -> None:
    user = make_user()
    posted = {"login": f"\0{user.username}", "password": "wrong", "next": "\0"}
    assert client.post(reverse("account_login"), posted).status_code == 200
    client.force_login(make_user(Role.SUPERVISOR, make_grid()))
    assert client.post(reverse("key_standard"), {"area": "\0"}).status_code == 200
