"""The portal's own worker and beat as processes, between servers of ours that can be hurt."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from django.conf import settings
from django.db import connection

from portal import engines
from tests.reminders import servers

ROOT = Path(__file__).resolve().parent.parent.parent
CELERY = (sys.executable, "-W", "ignore", "-m", "celery", "--quiet", "-A", "portal")
WORKER = (
    *("worker", "--loglevel", "INFO", "--concurrency", "3"),
    *("--without-gossip", "--without-mingle"),
)
WEB = (
    *(sys.executable, "-W", "ignore", "-m", "gunicorn", "portal.wsgi", "--workers", "2"),
    *("--no-control-socket", "--bind"),
)
Process = subprocess.Popen[bytes]


@dataclass
class Stage:
    """What runs, and how to hurt it."""

    folder: Path
    gateway: servers.Gateway
    mailbox: servers.Mailbox
    broker: ExitStack = field(default_factory=ExitStack)
    workers: list[Process] = field(default_factory=list)
    beats: list[Process] = field(default_factory=list)
    hosts: dict[int, Process] = field(default_factory=dict)  # by port

    def start_broker(self) -> None:
        """Start a broker that remembers nothing of an earlier one."""
        running = engines.run_engines(self.folder, postgres=False, safe=False)
        self.broker.enter_context(running)

    def kill_broker(self) -> None:
        """Kill the broker with all that it holds."""
        for process in psutil.process_iter(["name", "cmdline"]):
            ours = str(self.folder) in " ".join(process.info["cmdline"] or ())
            if ours and process.info["name"] == "valkey-server":
                process.kill()
        self.broker.close()

    def start_worker(self) -> Process:
        """Start a worker of three processes, as a group of its own."""
        worker = self._start(*CELERY, *WORKER)
        self.workers.append(worker)
        return worker

    def start_beat(self) -> Process:
        """Start a beat that remembers nothing of an earlier one."""
        schedule = self.folder / f"beat-{time.monotonic_ns()}"
        beat = self._start(*CELERY, "beat", "--loglevel", "INFO", "--schedule", str(schedule))
        self.beats.append(beat)
        return beat

    def start_web(self) -> None:
        """Start a web host of two processes, and wait until it answers."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = int(free.getsockname()[1])
        self.hosts[port] = self._start(*WEB, f"127.0.0.1:{port}")
        wait_until(lambda: _answers(port), seconds=120)

    @property
    def ports(self) -> list[int]:
        """Where web hosts listen."""
        return list(self.hosts)

    def kill_web(self) -> None:
        """Kill the web host that runs longest, with what it is doing."""
        self.kill(self.hosts.pop(self.ports[0]))

    def kill(self, process: Process) -> None:
        """Kill a process with all its children, and gather it up."""
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for running in (self.workers, self.beats):
            with suppress(ValueError):
                running.remove(process)

    def kill_one_child(self) -> None:
        """Kill one of the processes that do the work; wait for one where there is none."""

        def killed() -> bool:
            with suppress(psutil.NoSuchProcess):
                for child in random.sample(found := self._children(), len(found)):
                    child.kill()
                    return True
            return False

        wait_until(killed, seconds=60)

    def _children(self) -> list[psutil.Process]:
        """
        Return the processes that work, after starting ended workers as a supervisor does.

        Those of a worker that is still starting are left out: Celery gives up when one of them
        dies, and on a busy machine a worker that is killed again and again never starts.
        """
        for worker in [each for each in self.workers if each.poll() is not None]:
            self.kill(worker)
            self.start_worker()
        ready = [each.pid for each in self.workers if " ready." in self._log(each).read_text()]
        return [child for pid in ready for child in psutil.Process(pid).children(recursive=True)]

    def _log(self, process: Process) -> Path:
        return self.folder / f"{process.pid}.log"

    def stop(self) -> None:
        """Kill whatever still runs."""
        for process in [*self.workers, *self.beats, *self.hosts.values()]:
            self.kill(process)
        self.kill_broker()

    def _start(self, *arguments: str) -> Process:
        with (self.folder / "starting.log").open("wb") as log:
            process = subprocess.Popen(
                arguments,
                cwd=ROOT,
                env=self._environment(),
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        (self.folder / "starting.log").rename(self._log(process))
        return process

    def _environment(self) -> dict[str, str]:
        database = urlsplit(settings.DATABASE_URL)
        name = connection.settings_dict["NAME"]
        return {
            **{key: value for key, value in os.environ.items() if key != "REDIS_URL"},
            "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
            "WANGGE_DATA": str(self.folder),
            "DATABASE_URL": database._replace(path=f"/{name}").geturl(),
            "REDIS_URL": f"unix://{engines.socket_dir(self.folder)}/valkey.sock",
            "SMS_GATEWAY": json.dumps(self.gateway.settings()),
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mailbox.port}",
            "NO_PROXY": "127.0.0.1",
            "FIELD_KEYS": ",".join(settings.FIELD_KEYS),
            "SEARCH_KEY": ",".join(settings.SEARCH_KEYS),
            "SECRET_KEY": settings.SECRET_KEY,
        }


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    """Give a stage with its servers running, and clear it afterwards."""
    with servers.gateway() as gateway, servers.mail_server() as mailbox:
        here = Stage(folder=folder, gateway=gateway, mailbox=mailbox)
        here.start_broker()
        try:
            yield here
        finally:
            here.stop()


def _answers(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def wait_until(true: Callable[[], bool], *, seconds: float) -> None:
    """Wait until something is so; fail when it is not in time."""
    ends = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < ends, "it did not happen in time"
        time.sleep(0.2)
