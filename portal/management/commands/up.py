"""Start the portal by one command."""

import fcntl
import functools
import gc
import ipaddress
import os
import shlex
import shutil
import signal
import socket
import sys
import threading
import time
import urllib.error
import urllib.request
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, TextIO

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connections
from honcho.manager import Manager
from honcho.printer import Message, Printer
from honcho.process import Popen, Process

from accounts.keys import keyring
from common import clock
from policy.services import load_documents
from portal import demo, engines, roles


class Command(BaseCommand):
    """Start what is not given, bring the database up to date, and run until told to stop."""

    help = "Start the portal: its engines where none are given, web server, worker and beat."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the address."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument(
            "--since", type=float, default=time.time(), help="when it began, in epoch seconds"
        )

    def handle(self, *, host: str, port: int, since: float, **_: Any) -> None:
        """Run until a signal, or until one of the processes ends."""
        for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(ending, _exit)
        gc.disable()  # what migrations hold stays until they end: walking it again takes seconds
        try:
            with ExitStack() as stack:
                stack.callback(engines.lock_data(settings.DATA_DIR))
                _refuse_taken(host, port)
                with _step("database"):
                    stack.enter_context(
                        engines.run_engines(settings.DATA_DIR, **settings.EMBEDDED)
                    )
                    engines.check_versions(settings.DATABASE_URL, settings.REDIS_URL)
                    _bring_up_to_date()
                if settings.DEMO:
                    with roles.as_owner():  # it gathers statistics
                        _see_to_demo()
                gc.enable()
                connections.close_all()  # the processes are forked
                code = _run(host, port, since)
        except (engines.EngineError, demo.NotEmptyError) as error:
            raise CommandError(str(error)) from error
        sys.exit(code)


def _exit(signum: int, _: object) -> None:
    sys.exit(128 + signum)


# The README says what runs as root; here Celery's reminder would bury the sign-ins.
AS_ROOT = ("-W", "ignore:You're running the worker with superuser privileges")


def _refuse_taken(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(socket.socket(family)) as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind((host, port))
        except OSError as error:
            raise CommandError(
                f"Nothing can be served at {host}:{port} ({error.strerror}):"
                " choose another address by --host or --port."
            ) from error


def _bring_up_to_date() -> None:
    call_command("migrate", verbosity=0)
    keyring.check()
    load_documents()


def _see_to_demo() -> None:
    if demo.demo_exists():
        demo.seed(at=clock.now())  # its passwords, where their file is gone
    elif not get_user_model().objects.exists():
        with _step("demo"):
            demo.seed(at=clock.now())


@contextmanager
def _step(name: str) -> Iterator[None]:
    """Say in one line what is done and how long it took, as the Makefile does before."""
    print(f"{name:20}", end="", flush=True)
    began, result = time.monotonic(), "failed"
    try:
        yield
        result = f"{time.monotonic() - began:5.1f} s"
    finally:
        print(result, flush=True)


def _run(host: str, port: int, since: float) -> int:
    def closed_terminal(_: int, __: object) -> None:
        # Honcho knows SIGTERM. Its helpers inherit this, too, and ignore SIGTERM, rightly.
        os.kill(os.getpid(), signal.SIGTERM)

    signal.signal(signal.SIGHUP, closed_terminal)
    manager = _Manager(host, port, since)
    environment = engines.marked(settings.DATA_DIR)
    for name, arguments in processes(host, port).items():
        program = [sys.executable, *AS_ROOT, "-m", *arguments]
        command = shlex.join(program if name == "web" else [*manager.after_page, *program])
        manager.add_process(name, f"exec {command}", env=environment, cwd=str(settings.BASE_DIR))
    manager.loop()
    return manager.returncode or 1


def processes(host: str, port: int) -> dict[str, list[str]]:
    """Return what runs, by name: the modules with their arguments."""
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    celery = ["celery", "--quiet", "-A", "portal"]
    worker = [*celery, "worker", "--without-gossip", "--without-mingle"]
    return {
        "web": [
            *("gunicorn", "portal.wsgi", "--bind", address, "--workers", "2"),
            *("--preload", "--log-level", "warning", "--no-control-socket"),
        ],
        "worker": [*worker, "--concurrency", "2"],
        "nightly": [
            *(*worker, "--concurrency", "1"),
            *("--queues", settings.NIGHTLY_QUEUE, "--hostname", "nightly"),
        ],
        "beat": [*celery, "beat", "--schedule", str(settings.DATA_DIR / "beat")],
    }


class _Tied(Process):
    """A process of honcho's that ends with its parent, killed or not."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        end = functools.partial(engines.die_with_parent, signal.SIGTERM)
        self._child_ctor: Any = functools.partial(Popen, preexec_fn=end)

    def run(self, events: Any = None, ignore_signals: bool = False) -> None:
        """Run the command; the helper around it needs no goodbye."""
        engines.die_with_parent(signal.SIGKILL)
        super().run(events, ignore_signals)


class _Log:
    """Standard output that may be closed: work goes on after the terminal is gone."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> None:
        """Write, if anybody still reads."""
        with suppress(OSError):
            self.stream.write(text)

    def flush(self) -> None:
        """Flush, if anybody still reads."""
        with suppress(OSError):
            self.stream.flush()

    def isatty(self) -> bool:
        """Return whether colours help."""
        return self.stream.isatty()


class _Manager(Manager):
    """Honcho's manager, which also says when the page answers."""

    def __init__(self, host: str, port: int, since: float) -> None:
        super().__init__(Printer(_Log(sys.stdout)))
        self._since, self._host = since, host
        gate = settings.DATA_DIR / "starting"
        self._gate = gate.open("w")
        fcntl.flock(self._gate, fcntl.LOCK_EX)
        # On two cores the page would come seconds later, were four processes loaded at once.
        flock = shutil.which("flock")
        self.after_page = [flock, "--shared", "--no-fork", str(gate)] if flock else []
        self._process_ctor = _Tied
        local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
        self._url = f"http://[{local}]:{port}/" if ":" in local else f"http://{local}:{port}/"

    def _start(self) -> None:
        super()._start()  # forks; threads come after
        threading.Thread(target=self._greet, daemon=True).start()

    def _greet(self) -> None:
        while not _answers(self._url):
            time.sleep(0.1)
        fcntl.flock(self._gate, fcntl.LOCK_UN)
        answered = datetime.now(UTC)
        took = _took(answered.timestamp() - self._since)
        for line in (
            f"The portal answers at {self._url}",
            took,
            *warning(self._host),
            *_sign_ins(),
        ):
            self.events.put(Message("line", f"{line}\n", answered.astimezone(), "portal", None))


def warning(host: str) -> list[str]:
    """Return what is said of a demo that others reach."""
    if not settings.DEMO or _is_loopback(host):
        return []
    return [
        f"This demo answers on {host}, to other machines, too: whoever reaches it may sign in by"
        " the passwords on its page. Enter nobody real."
    ]


def _is_loopback(host: str) -> bool:
    found = {str(address[0]) for *_, address in socket.getaddrinfo(host or "0.0.0.0", None)}  # noqa: S104
    return all(ipaddress.ip_address(each.partition("%")[0]).is_loopback for each in found)


def _took(seconds: float) -> str:
    """Say how long this start took, and how long the first one took."""
    first = settings.DATA_DIR / "first-start"
    if not first.exists():
        first.write_text(f"{seconds:.1f}")
        return f"Started in {seconds:.1f} s, from nothing."
    return f"Started in {seconds:.1f} s; the first start took {first.read_text()} s."


def _answers(url: str) -> bool:
    # As the proxy in front would ask, so that production does not send us to https.
    request = urllib.request.Request(f"{url}healthz", headers={"X-Forwarded-Proto": "https"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=5):  # noqa: S310
            return True
    except urllib.error.HTTPError as error:
        error.close()
        return error.code == HTTPStatus.SERVICE_UNAVAILABLE  # it answers, and says what is amiss
    except OSError:
        return False


def _sign_ins() -> list[str]:
    if not settings.DEMO:
        return []
    return [
        "Demo sign-ins: role, name, password.",
        *(f"  {role:16} {name:22} {password}" for role, name, password in demo.sign_ins()),
    ]
