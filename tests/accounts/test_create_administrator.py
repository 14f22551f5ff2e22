"""The first account of an installation."""

import io

import pytest
from django.core.management import CommandError, call_command

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Area, Role, User
from accounts.voices.independence import no_second_voice
from tests.factories import make_community


@pytest.mark.django_db
class TestCreateAdministrator:
    @staticmethod
    def create(
        monkeypatch: pytest.MonkeyPatch, password: str, name: str = "first", employer: str = ""
    ) -> str:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{password}\n"))
        said = io.StringIO()
        call_command("create_administrator", name, employer=employer, stdout=said)
        return said.getvalue()

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

    def test_makes_the_first_two_who_are_two_voices(self, monkeypatch: pytest.MonkeyPatch) -> None:
        password = "correct horse battery"
        assert "another employer" in self.create(monkeypatch, password, employer="示例防控办")
        colleague = self.create(monkeypatch, password, "colleague", "示例防控办")
        assert "another employer" in colleague

        said = self.create(monkeypatch, password, "second", "示例疾控中心")

        assert "another employer" not in said
        first, second = (User.objects.get(username=name) for name in ("first", "second"))
        acted_for = first.employer
        assert not no_second_voice(first=first, second=second, acted_for=acted_for)
        assert AuditEntry.objects.filter(did="made account", actor=None).count() == 3
