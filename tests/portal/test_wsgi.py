"""The web server outlives a database that is away for a while, whenever a worker starts."""

import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from portal import engines
from tests import patience
from tests.portal.test_up import ROOT, _environment, _free_port

pytestmark = pytest.mark.processes


class Server:
    """Gunicorn with two workers, and what it says."""

    def __init__(self, data: Path, log: Path) -> None:
        self.port, self.log = _free_port(), log
        with log.open("wb") as said:
            self.process = psutil.Popen(
                [
                    *(sys.executable, "-m", "gunicorn", "portal.wsgi", "--workers", "2"),
                    *("--bind", f"127.0.0.1:{self.port}", "--no-control-socket"),
                ],
                cwd=ROOT,
                env=_environment(data),
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    def health(self) -> int:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz") as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            return 0

    def until(self, what: str, told: object) -> None:
        """Wait until the health, or what was logged, is as told."""
        give_up = time.monotonic() + patience.SECONDS
        while time.monotonic() < give_up and self.process.is_running():
            if told in ((self.health(),) if what == "health" else self.log.read_text()):
                return
            time.sleep(0.1)
        raise AssertionError(self.log.read_text())

    def kill_a_worker(self) -> None:
        os.kill(self.process.children()[0].pid, signal.SIGKILL)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path, tmp_path: Path) -> Iterator[Server]:
    (data / "postgres").mkdir(parents=True)
    server = Server(data, tmp_path / "log")
    yield server
    server.process.send_signal(signal.SIGQUIT)  # at once: nobody waits for an answer any more
    server.process.wait(patience.SECONDS)


def test_a_worker_that_starts_while_the_database_is_away_waits_for_it(
    data: Path, server: Server
) -> None:
    with engines.run_engines(data, safe=False, postgres=True, valkey=False):
        server.until("health", 200)
    server.until("health", 503)

    server.kill_a_worker()
    server.until("log", "database_away")
    with engines.run_engines(data, safe=False, postgres=True, valkey=False):
        server.until("health", 200)

        assert server.process.is_running()
        assert "Worker failed to boot" not in server.log.read_text()
