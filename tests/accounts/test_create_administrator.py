"""The first account of an installation."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.staff.models import Area, Role, User
from tests.factories import make_community


@pytest.mark.django_db
class TestCreateAdministrator:
    @staticmethod
    def create(monkeypatch: pytest.MonkeyPatch, password: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        call_command("create_administrator", "first", stdout=io.StringIO())

    def test_makes_one_who_can_sign_in(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.create(monkeypatch, "correct horse battery")
        first = User.objects.get()
        assert first.role == Role.ADMINISTRATOR
        assert first.check_password("correct horse battery")

    def test_lets_the_first_answer_for_the_country(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.create(monkeypatch, "correct horse battery")
        assert [area.code for area in User.objects.get().areas.all()] == ["000000"]

    def test_takes_the_highest_areas_that_are_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        community = make_community()
        self.create(monkeypatch, "correct horse battery")
        assert community in Area.objects.below(User.objects.get())
        assert not Area.objects.filter(code="000000").exists()

    def test_refuses_a_weak_password(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with pytest.raises(CommandError):
            self.create(monkeypatch, "password12")
        assert not User.objects.exists()

    def test_refuses_a_taken_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.create(monkeypatch, "correct horse battery")
        with pytest.raises(CommandError):
            self.create(monkeypatch, "another horse battery")
        assert User.objects.count() == 1
