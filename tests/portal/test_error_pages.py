"""Pages that say what went wrong, in the portal's own look."""

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Role
from tests.factories import make_grid, make_user

pytestmark = pytest.mark.django_db


class TestErrorPage:
    def test_404_is_in_the_look_of_the_portal(self, client: Client) -> None:
        client.force_login(make_user(Role.GRID_STAFF, make_grid()))

        response = client.get("/nowhere/")

        assert response.status_code == 404
        assert "不在您的权限范围内" in response.content.decode()
        assert 'class="topbar"' in response.content.decode()

    def test_403_says_whom_to_ask(self, client: Client) -> None:
        client.force_login(make_user(Role.AUDITOR))

        response = client.get(reverse("resident_list"))

        assert response.status_code == 403
        assert "请联系管理员" in response.content.decode()

    def test_of_a_stale_form_says_to_load_it_anew(self) -> None:
        client = Client(enforce_csrf_checks=True)

        response = client.post(reverse("account_login"), {"login": "x"})

        assert response.status_code == 403
        assert "请返回并刷新页面" in response.content.decode()

    def test_400_is_in_the_look_of_the_portal(self, client: Client) -> None:
        response = client.get("/", headers={"host": "a b"})

        assert response.status_code == 400
        assert "请求无效" in response.content.decode()

    def test_500_needs_no_database_and_quotes_nothing(
        self, django_assert_num_queries: DjangoAssertNumQueries
    ) -> None:
        with django_assert_num_queries(0):
            page = render_to_string("500.html")

        assert "出错了" in page
