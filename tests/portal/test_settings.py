"""Settings and secrets: safe without any, strict in production."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import environ
import pytest
from django.core.exceptions import ImproperlyConfigured

from portal import keys

ROOT = Path(__file__).resolve().parents[2]


def _manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        check=False,
    )


class TestProduction:
    def test_refuses_to_start_without_its_keys(self, tmp_path: Path) -> None:
        refused = _manage("check", WANGGE_PRODUCTION="1", WANGGE_DATA=str(tmp_path))
        assert refused.returncode == 1
        assert refused.stderr.startswith(
            "The portal is not set up: Set SECRET_KEY, FIELD_KEYS, SEARCH_KEY in the environment"
        )
        assert refused.stderr.count("\n") == 1
        assert list(tmp_path.iterdir()) == []

    def test_refuses_to_start_without_its_servers(self, tmp_path: Path) -> None:
        refused = _manage(
            "check", WANGGE_PRODUCTION="1", WANGGE_DATA=str(tmp_path), **keys.new_secrets()
        )
        assert refused.returncode == 1
        assert "Set DATABASE_URL and REDIS_URL" in refused.stderr

    def test_refuses_to_be_a_demo(self, tmp_path: Path) -> None:
        refused = _manage(
            *("check", "--deploy"),
            WANGGE_PRODUCTION="1",
            WANGGE_DEMO="1",
            WANGGE_DATA=str(tmp_path),
            **keys.new_secrets(),
        )
        assert refused.returncode == 1
        assert refused.stderr == (
            "The portal is not set up: Unset WANGGE_DEMO: in production there are no demo people"
            " and no clock to set.\n"
        )

    def test_asks_for_a_second_factor_whatever_is_set(self, tmp_path: Path) -> None:
        shown = _manage(
            *("diffsettings", "--all"),
            WANGGE_PRODUCTION="1",
            SECOND_FACTOR_REQUIRED="false",
            WANGGE_DATA=str(tmp_path),
            DATABASE_URL=os.environ["DATABASE_URL"],
            REDIS_URL=os.environ["REDIS_URL"],
            **keys.new_secrets(),
        )
        assert "SECOND_FACTOR_REQUIRED = True" in shown.stdout, shown.stderr

    def test_gives_each_cookie_its_prefix(self, tmp_path: Path) -> None:
        shown = _manage(
            *("diffsettings", "--all"),
            WANGGE_PRODUCTION="1",
            WANGGE_DATA=str(tmp_path),
            DATABASE_URL=os.environ["DATABASE_URL"],
            REDIS_URL=os.environ["REDIS_URL"],
            **keys.new_secrets(),
        ).stdout
        for cookie in ("SESSION", "CSRF", "LANGUAGE"):
            assert f"{cookie}_COOKIE_NAME = '__Host-" in shown
            assert f"{cookie}_COOKIE_SECURE = True" in shown
            assert f"{cookie}_COOKIE_HTTPONLY = True" in shown
            assert f"{cookie}_COOKIE_SAMESITE = 'Lax'" in shown
        for cookie in ("DEVICE", "VENUE"):
            assert f"{cookie}_COOKIE_NAME = '__Host-" in shown
        assert "SessionStorage" in shown

    def test_passes_the_deployment_checks(self, tmp_path: Path) -> None:
        checked = _manage(
            *("check", "--deploy", "--fail-level", "WARNING"),
            WANGGE_PRODUCTION="1",
            WANGGE_DATA=str(tmp_path),
            DATABASE_URL=os.environ["DATABASE_URL"],
            REDIS_URL=os.environ["REDIS_URL"],
            ALLOWED_HOSTS="portal.example",
            **keys.new_secrets(),
        )
        assert checked.returncode == 0, checked.stderr


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Give django-environ an environment of its own."""
    own: dict[str, str] = {}
    monkeypatch.setattr(environ.Env, "ENVIRON", own)
    return own


class TestKeys:
    def test_of_a_first_start_are_kept_for_their_owner_alone(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        keys.read_secrets(environ.Env(), tmp_path, production=False)
        made = dict(environment)
        assert set(made) == set(keys.NAMES)
        assert stat.S_IMODE((tmp_path / "keys.env").stat().st_mode) == 0o600
        assert [file.name for file in tmp_path.iterdir()] == ["keys.env"]

        environment.clear()
        keys.read_secrets(environ.Env(), tmp_path, production=False)
        assert environment == made

    def test_that_are_given_win(self, environment: dict[str, str], tmp_path: Path) -> None:
        environment["SEARCH_KEY"] = "given"
        keys.read_secrets(environ.Env(), tmp_path, production=False)
        assert environment["SEARCH_KEY"] == "given"
        assert environment["SECRET_KEY"]

    def test_are_never_made_in_production(
        self, environment: dict[str, str], tmp_path: Path
    ) -> None:
        environment["SECRET_KEY"] = environment["SEARCH_KEY"] = "given"
        with pytest.raises(ImproperlyConfigured, match="Set FIELD_KEYS in the environment"):
            keys.read_secrets(environ.Env(), tmp_path, production=True)
