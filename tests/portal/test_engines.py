"""The engines that the tests themselves run on: see portal/engines.py."""

import os
from contextlib import closing, suppress
from pathlib import Path

import environ
import psycopg2
import pytest

from portal import engines


@pytest.mark.usefixtures("django_db_setup")
class TestVersionCheck:
    def test_accepts_the_engines_of_the_tests(self) -> None:
        engines.check_versions(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])

    def test_refuses_an_older_postgresql_in_one_sentence(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(engines, "POSTGRES_AT_LEAST", 99)
        with pytest.raises(engines.EngineError, match="99 or later is needed"):
            engines.check_versions(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])

    def test_refuses_an_older_redis_in_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(engines, "REDIS_AT_LEAST", 99)
        with pytest.raises(engines.EngineError, match="99 or later is needed"):
            engines.check_versions(os.environ["DATABASE_URL"], os.environ["REDIS_URL"])

    def test_says_when_a_server_does_not_answer(self) -> None:
        nobody = "postgres://postgres@127.0.0.1:1/none"
        with pytest.raises(engines.EngineError, match="does not answer"):
            engines.check_versions(nobody, os.environ["REDIS_URL"])


class TestAddresses:
    def test_of_a_deep_data_folder_fit_a_unix_socket(self, tmp_path: Path) -> None:
        deep = tmp_path / ("deep" * 30)
        assert len(str(engines.socket_dir(deep) / ".s.PGSQL.5432.lock")) < 108
        assert engines.socket_dir(deep) != engines.socket_dir(deep / "er")

    def test_are_the_given_ones_where_given(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.setenv("DATABASE_URL", "postgres://db/x")
        monkeypatch.setenv("REDIS_URL", "redis://cache:6379")
        assert engines.addresses(environ.Env(), tmp_path) == (
            "postgres://db/x",
            "redis://cache:6379",
        )


class TestDataFolder:
    def test_is_held_by_one_process_at_a_time(self, tmp_path: Path) -> None:
        # POSIX locks are per process, so another process has to try.
        let_go = engines.lock_data(tmp_path)
        child = os.fork()
        if not child:
            try:
                engines.lock_data(tmp_path)
            except engines.EngineError:
                os._exit(7)
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        let_go()

    def test_of_another_postgresql_is_refused_and_left_alone(self, tmp_path: Path) -> None:
        version = tmp_path / "postgres" / "PG_VERSION"
        version.parent.mkdir()
        version.write_text("12\n")
        with (
            pytest.raises(engines.EngineError, match="made by PostgreSQL 12, and this is"),
            engines.run_engines(tmp_path, valkey=False),
        ):
            raise AssertionError
        assert version.read_text() == "12\n"


def test_the_log_of_postgresql_does_not_hold_what_a_refused_statement_did(
    tmp_path: Path,
) -> None:
    with engines.run_engines(tmp_path, safe=False, postgres=True, valkey=False):
        connection = psycopg2.connect(
            host=str(engines.socket_dir(tmp_path)), user="postgres", dbname=engines.DATABASE
        )
        connection.autocommit = True
        with closing(connection), connection.cursor() as cursor:
            cursor.execute(
                "CREATE TABLE people (born date CHECK (born < now()), name text UNIQUE)"
            )
            for born, name in (
                ("1949-12-31", "王秀英"),
                ("1949-12-31", "王秀英"),
                ("2949-12-31", "x"),
            ):
                with suppress(psycopg2.IntegrityError):
                    cursor.execute("INSERT INTO people VALUES (%s, %s)", [born, name])
    log = (tmp_path / "log/postgres.log").read_text()
    assert log.count("violates") == 2
    assert not {said for said in ("1949", "2949", "王秀英") if said in log}
