"""
The locks are installed to the letter, whatever pip there is and whatever was published since.

Shown on two packages that are made here: `reader` wants `shelf[ladder]`, of which a newer
version was published after the lock. Old pips resolve such an extra apart from its package.
"""

import base64
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

pytestmark = [pytest.mark.pure]

ROOT = Path(__file__).resolve().parents[1]
# What Python 3.11.0 brought; nothing older can come with a Python that the portal runs on.
OLDEST_PIP = "22.3"
PYTHON = ".venv/bin/python"
DOCUMENTED = "pip install --no-deps --require-hashes -r requirements.txt"
LADDER = "Provides-Extra: ladder"
LOCKED = {"reader": "1.0", "shelf": "1.0", "pip": OLDEST_PIP}


def _publish(index: Path, name: str, version: str, *metadata: str) -> str:
    """Put a wheel without code into a package index, and return its hash."""
    info = f"{name}-{version}.dist-info"
    lines = ("Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata)
    files = {
        f"{info}/METADATA": "\n".join(lines) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items()
    ]
    folder = index / name
    folder.mkdir(parents=True, exist_ok=True)
    wheel = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{info}/RECORD", "".join(record) + f"{info}/RECORD,,\n")
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def _digest(content: str) -> str:
    digest = hashlib.sha256(content.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class _Index(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a folder for the index and the checkout."""
    return tmp_path_factory.mktemp("locks")


@pytest.fixture(scope="module")
def index(place: Path) -> Iterator[str]:
    """Serve an empty package index, and give its address."""
    folder = place / "index"
    folder.mkdir(exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Index, directory=str(folder))) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


class _Advisories(BaseHTTPRequestHandler):
    """A service like OSV's, which knows something bad of `shelf`."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["queries"]
        bad = {"vulns": [{"id": "MADE-UP-1", "modified": "2022-12-01T00:00:00Z"}]}
        self._say({"results": [bad if "shelf" in str(each) else {} for each in asked]})

    def do_GET(self) -> None:
        self._say({"id": "MADE-UP-1", "modified": "2022-12-01T00:00:00Z", "summary": "It falls."})

    def _say(self, answer: object) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        """Say nothing."""


@pytest.fixture
def advisories() -> Iterator[str]:
    """Serve what is known of vulnerabilities, and give the address."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Advisories) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture(scope="module")
def prepared(place: Path) -> Path:
    """Give a folder with our Makefile, the oldest pip, and a lock older than the index."""
    published = partial(_publish, place / "index")
    wants = "Requires-Dist: shelf[ladder]>=1.0"
    lock = (
        f"reader==1.0 \\\n    --hash=sha256:{published('reader', '1.0', wants)}\n"
        f"shelf[ladder]==1.0 \\\n    --hash=sha256:{published('shelf', '1.0', LADDER)}\n"
    )
    published("reader", "1.1", wants)
    published("shelf", "2.0", LADDER)
    folder = place / "checkout"
    folder.mkdir()
    for name in ("Makefile", "requirements-uv.txt"):
        shutil.copy(ROOT / name, folder)
    for name in ("requirements.txt", "requirements-dev.txt"):
        (folder / name).write_text(lock)
    _run(folder, sys.executable, "-m", "venv", ".venv")
    oldest = (PYTHON, "-m", "pip", "install", "-q", f"pip=={OLDEST_PIP}")
    for command in (oldest, ("make", ".venv/bin/uv")):
        asked = _try(folder, *command)
        if asked.returncode:
            pytest.skip(f"No registry gives pip {OLDEST_PIP} and uv here.")
    return folder


@pytest.fixture
def checkout(prepared: Path) -> Path:
    """Give the folder without what an earlier test installed."""
    _run(prepared, PYTHON, "-m", "pip", "uninstall", "-q", "-y", "reader", "shelf")
    return prepared


def _try(folder: Path, *command: str, **settings: str) -> subprocess.CompletedProcess[str]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
    return subprocess.run(
        command,
        cwd=folder,
        env={**inherited, "PIP_DISABLE_PIP_VERSION_CHECK": "1", **settings},
        capture_output=True,
        text=True,
        check=False,
    )


def _run(folder: Path, *command: str, **settings: str) -> str:
    done = _try(folder, *command, **settings)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _installed(folder: Path) -> dict[str, str]:
    said = _run(folder, PYTHON, "-m", "pip", "list", "--format=freeze")
    return dict(line.split("==") for line in said.splitlines())


def _stamp(folder: Path, lock: str, kind: str) -> str:
    return f".venv/.{kind}-{hashlib.sha256((folder / lock).read_bytes()).hexdigest()[:16]}"


class TestTheOldestPip:
    @pytest.mark.parametrize(
        ("lock", "kind"), [("requirements.txt", "run"), ("requirements-dev.txt", "dev")]
    )
    def test_brings_the_installer_that_installs_a_lock(
        self, checkout: Path, index: str, lock: str, kind: str
    ) -> None:
        stamp = _stamp(checkout, lock, kind)
        cache = str(checkout / "cache")
        said = _run(checkout, "make", stamp, PIP_INDEX_URL=index, UV_CACHE_DIR=cache)
        assert re.fullmatch(r"packages +\d+\.\d s\n", said)
        assert LOCKED.items() <= _installed(checkout).items()

    @pytest.mark.parametrize(
        "command", [DOCUMENTED, DOCUMENTED.replace("--no-deps ", "")], ids=["documented", "plain"]
    )
    def test_installs_a_lock_by_itself(self, checkout: Path, index: str, command: str) -> None:
        machine = {"PIP_INDEX_URL": index, "PIP_CONFIG_FILE": os.devnull, "PIP_FIND_LINKS": ""}
        _run(checkout, PYTHON, "-m", *command.split(), **machine)
        assert LOCKED.items() <= _installed(checkout).items()


class TestAudit:
    def test_fails_by_a_locked_package_with_a_known_vulnerability(
        self, checkout: Path, index: str, advisories: str
    ) -> None:
        asked = _try(checkout, "make", "audit", f"OSV={advisories}", UV_INDEX=index)
        assert asked.returncode == 2
        assert "shelf 1.0 has 1 known vulnerability" in asked.stdout

    def test_says_in_one_line_that_nobody_could_be_asked(self, checkout: Path, index: str) -> None:
        said = _run(checkout, "make", "audit", "OSV=http://127.0.0.1:9/", UV_INDEX=index)
        assert said.startswith("Known vulnerabilities were not asked for: ")
        assert said.count("\n") == 1


class TestOperations:
    def test_install_by_the_one_command_that_always_works(self) -> None:
        operations = (ROOT / "docs/operations.md").read_text()
        assert set(re.findall(r"bin/(pip install .*?\.txt)", operations)) == {DOCUMENTED}


class TestLocks:
    @pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
    def test_name_the_extras_that_old_pips_resolve_apart(self, lock: str) -> None:
        assert "--no-strip-extras" in (ROOT / lock).read_text().splitlines()[1]
