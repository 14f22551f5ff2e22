"""One command starts everything, and leaves nothing behind."""

import os
import pty
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import psutil
import psycopg2
import psycopg2.errors
import pytest
from celery import current_app as celery
from django.conf import settings
from pytest_django import DjangoDbBlocker

from portal import engines
from portal.management.commands import up
from tests import databases, patience

processes = pytest.mark.processes

ROOT = Path(__file__).resolve().parents[2]
UP = [sys.executable, str(ROOT / "manage.py"), "up"]
GIVEN = ("DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE", engines.MARK)


def _environment(data: Path, **more: str) -> dict[str, str]:
    inherited = {name: value for name, value in os.environ.items() if name not in GIVEN}
    return {**inherited, "WANGGE_DATA": str(data), "PYTHONUNBUFFERED": "1", **more}


def _free_port() -> int:
    with closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Portal:
    """A portal in a process of its own, on a data folder and a port."""

    def __init__(self, data: Path, port: int, **environment: str) -> None:
        self.data, self.port = data, port
        self.log = data.with_suffix(".log")
        self.environment = _environment(data, **environment)
        self.process: psutil.Popen | None = None

    def start(self) -> None:
        self.let_go()
        with self.log.open("wb") as log:
            self.process = psutil.Popen(
                [*UP, "--port", str(self.port)],
                stdout=log,
                stderr=log,
                env=self.environment,
                start_new_session=True,
            )
        self.wait_until_it_answers()

    def wait_until_it_answers(self) -> None:
        give_up = time.monotonic() + patience.SECONDS
        while time.monotonic() < give_up:
            if "The portal answers at" in self.output():
                return
            if self.process and not self.process.is_running():
                break
            time.sleep(0.1)
        raise AssertionError(self.output())

    def output(self) -> str:
        return self.log.read_text() if self.log.exists() else ""

    def page(self) -> str:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/accounts/login/") as page:
            return str(page.read().decode())

    def left(self) -> list[psutil.Process]:
        """Return what does not end: of whatever was started on the folder, and PostgreSQL."""
        found = []
        for process in psutil.process_iter():
            with suppress(psutil.Error):
                ours = process.environ().get("WANGGE_DATA") == str(self.data)
                if ours or str(self.data) in process.cwd():
                    found.append(process)
        _ended, left = psutil.wait_procs(found, timeout=patience.SECONDS)
        return list(left)

    def end(self, by: signal.Signals) -> int:
        assert self.process
        process, self.process = self.process, None
        process.send_signal(by)
        return int(process.wait(patience.SECONDS))

    def let_go(self) -> None:
        """End it where a test failed; a process that ended by itself is gathered up, too."""
        if self.process:
            with suppress(psutil.NoSuchProcess):
                self.process.send_signal(signal.SIGTERM)
            self.process.wait(patience.SECONDS)


@pytest.fixture(scope="module")
def portal() -> Iterator[Portal]:
    """
    Give one portal to all tests, which stop and start it.

    Not in a folder of pytest's: each session that begins shuts the user of the engines out there.
    """
    with TemporaryDirectory(prefix="wangge-up-") as folder:
        one = Portal(Path(folder) / "data", _free_port(), WANGGE_DEMO="0")
        yield one
        one.let_go()


@pytest.fixture
def database(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, worker_id: str
) -> Iterator[str]:
    """Give the address of a database that is brought up to date already."""
    name = f"test_wangge_{worker_id}_guest"
    with django_db_blocker.unblock(), databases.copied(name):
        yield urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{name}").geturl()


def _refused(data: Path, port: int) -> str:
    """Start where one cannot, and return the sentence."""
    tried = subprocess.run(
        [*UP, "--port", str(port)],
        env=_environment(data, WANGGE_DEMO="0"),
        capture_output=True,
        text=True,
        timeout=patience.SECONDS,
        check=False,
    )
    assert tried.returncode == 1
    assert tried.stdout == ""
    return tried.stderr


@processes
class TestUp:
    def test_answers_refuses_a_second_start_and_ends_by_sigterm(self, portal: Portal) -> None:
        portal.start()
        assert "<form" in portal.page()

        again = _refused(portal.data, _free_port())
        assert again == (
            f"CommandError: The portal is already running on the data folder {portal.data}.\n"
        )
        taken = _refused(portal.data.with_name("other"), portal.port)
        assert taken == (
            f"CommandError: Nothing can be served at 127.0.0.1:{portal.port}"
            " (Address already in use): choose another address by --host or --port.\n"
        )

        assert portal.end(by=signal.SIGTERM) == 143
        assert portal.left() == []

    def test_serves_by_a_role_that_may_only_add_to_the_audit(self, portal: Portal) -> None:
        portal.start()
        folder = str(engines.socket_dir(portal.data))
        serving = psycopg2.connect(host=folder, user=engines.SERVES, dbname=engines.DATABASE)
        with closing(serving), serving.cursor() as cursor:
            cursor.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'")
            assert cursor.fetchall() == [(engines.OWNS,)]
            cursor.execute("SELECT count(*) FROM accounts_auditentry")
            assert cursor.fetchone() == (1,)  # keys were taken into use
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                cursor.execute("DELETE FROM accounts_auditentry")
        assert (portal.data / "audit-anchors.txt").read_text().count("\n") == 1
        portal.end(by=signal.SIGTERM)

    def test_ends_when_its_terminal_is_closed(self, portal: Portal) -> None:
        portal.log.write_bytes(b"")
        pid, terminal = pty.fork()
        if not pid:
            command = f'exec "$@" > >(exec tee {portal.log}) 2>&1'
            os.execve(  # noqa: S606
                "/bin/bash",
                ["bash", "-c", command, "bash", *UP, "--port", str(portal.port)],
                portal.environment,
            )
        portal.wait_until_it_answers()
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 143
        assert portal.left() == []

    def test_leaves_a_healthy_folder_when_killed(self, portal: Portal) -> None:
        portal.start()
        portal.end(by=signal.SIGKILL)
        portal.start()
        assert "<form" in portal.page()

        assert portal.process
        os.killpg(portal.process.pid, signal.SIGINT)  # as Ctrl-C does
        assert portal.process.wait(patience.SECONDS) == 130
        assert portal.left() == []

    def test_starts_no_engine_where_servers_are_given(self, tmp_path: Path, database: str) -> None:
        given = {"DATABASE_URL": database, "REDIS_URL": os.environ["REDIS_URL"]}
        guest = Portal(tmp_path / "data", _free_port(), WANGGE_DEMO="0", **given)
        try:
            guest.start()
            assert "<form" in guest.page()
            assert not (guest.data / "postgres").exists()
            assert not (guest.data / "valkey").exists()
            assert guest.end(by=signal.SIGTERM) == 143
            assert guest.left() == []
        finally:
            guest.let_go()


class TestProcesses:
    def test_have_a_worker_for_every_queue(self) -> None:
        workers = [args for args in up.processes("127.0.0.1", 8000).values() if "worker" in args]
        asked = {args[args.index("--queues") + 1] for args in workers if "--queues" in args}
        assert asked == {route["queue"] for route in settings.CELERY_TASK_ROUTES.values()}
        assert len(workers) == len(asked) + 1

    def test_send_what_looks_at_every_case_past_the_reminders(self) -> None:
        at_night = {
            task: celery.amqp.router.route({}, task)["queue"].name
            for task in (str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values())
        }
        assert {name for name, queue in at_night.items() if queue == "nightly"} == {
            "accounts.tasks.check_audit",
            "quarantine.tasks.complete_cases_that_are_over",
            "quarantine.tasks.check_every_case_follows_from_law",
        }
        assert set(at_night.values()) == {"nightly", "celery"}


class TestTheApplication:
    def test_leaves_no_connection_for_two_workers_to_share(self, database: str) -> None:
        loaded = subprocess.run(
            [
                *(sys.executable, "-W", "ignore", "-c"),
                "import portal.wsgi; from django.db import connections;"
                " raise SystemExit(any(each.connection for each in connections.all()))",
            ],
            cwd=ROOT,
            env={
                **os.environ,
                "DATABASE_URL": database,
                "DJANGO_SETTINGS_MODULE": "portal.settings",
            },
            check=False,
        )
        assert loaded.returncode == 0
