"""The image and its composition do what the manual says, which says what the settings read."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer
from ruamel.yaml import YAML

from portal import engines, keys

ROOT = Path(__file__).resolve().parents[1]
MANUAL = (ROOT / "docs/operations.md").read_text()
CONTAINERFILE = (ROOT / "Containerfile").read_text()
# As YAML 1.1 and 1.2 agree on; merge keys are followed.
COMPOSE: dict[str, Any] = YAML(typ="safe").load(ROOT / "compose.yaml")
SERVICES: dict[str, Any] = COMPOSE["services"]
OURS = ["web", "worker", "nightly", "beat"]
SERVERS = ["postgres", "redis"]
PUBLIC, CONTAINER = "--bind 0.0.0.0:", "--bind 127.0.0.1:"


def _section(title: str) -> str:
    _, _, after = MANUAL.partition(f"\n### {title}\n")
    assert after, title
    return after.partition("\n### ")[0]


def _rows(title: str) -> list[list[str]]:
    table = [line for line in _section(title).split("\n") if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in table[1:]]


def _names(text: str) -> set[str]:
    return set(re.findall(r"`([A-Z][A-Z_]+)`", text))


def _instructions(containerfile: str) -> list[tuple[str, str]]:
    lines = [line for line in containerfile.split("\n") if line and not line.startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    return [(word, " ".join(rest.split())) for word, _, rest in _split(joined)]


def _split(joined: str) -> list[tuple[str, str, str]]:
    return [line.partition(" ") for line in joined.split("\n")]


def _check(service: str) -> str:
    """Return the health check of a service as one types it."""
    kind, *words = SERVICES[service]["healthcheck"]["test"]
    if kind == "CMD-SHELL":
        return str(words[0]).replace("$$", "$")
    if words[:2] == ["python", "-c"]:
        return f'python -c "{words[2]}"'
    return shlex.join(words)


def _read_by_the_settings() -> set[str]:
    read = re.compile(r"\benv(?:\.\w+)?\(\s*\"([A-Z_]+)\"")
    files = [ROOT / "portal/settings.py", ROOT / "portal/engines.py"]
    return {name for file in files for name in read.findall(file.read_text())} | {*keys.NAMES}


DOCUMENTED = _names("\n".join(row[0] for row in _rows("Variables")))
NEEDED = _names("\n".join(row[0] for row in _rows("Variables") if row[1] == "needed"))
TRYING_OUT = _names(_section("Variables").partition("For trying out only:")[2])
IMAGE = dict(
    each.split("=", 1)
    for word, rest in _instructions(CONTAINERFILE)
    if word == "ENV"
    for each in rest.split()
)


class TestManual:
    def test_names_every_variable_that_is_read_and_no_other(self) -> None:
        assert _read_by_the_settings() == DOCUMENTED | TRYING_OUT
        assert not DOCUMENTED & TRYING_OUT

    def test_names_the_queue_of_the_nightly_worker(self) -> None:
        (command,) = [row[1] for row in _rows("The four services") if row[0] == "`nightly`"]
        assert f"--queues {settings.NIGHTLY_QUEUE} " in command


class TestComposition:
    def test_holds_the_four_services_their_servers_and_the_step_before(self) -> None:
        assert sorted(SERVICES) == sorted([*OURS, *SERVERS, "migrate"])

    def test_runs_the_commands_of_the_manual(self) -> None:
        written = {row[0].strip("`"): row[1].strip("`") for row in _rows("The four services")}
        run = {name: SERVICES[name]["command"].replace(PUBLIC, CONTAINER) for name in OURS}
        assert run == written

    @pytest.mark.parametrize("service", OURS)
    def test_asks_after_health_as_the_manual_does(self, service: str) -> None:
        asked = _check(service)
        if service == "web":
            assert f"\n    {asked}\n" in _section("Is it well")
        else:
            well = {row[0].strip("`"): row[3].strip("`") for row in _rows("The four services")}
            assert asked == well[service]

    @pytest.mark.parametrize("service", [*OURS, "postgres"])
    def test_gives_time_to_end(self, service: str) -> None:
        assert SERVICES[service]["stop_grace_period"] == "1m"

    @pytest.mark.parametrize("service", [*OURS, *SERVERS])
    def test_bounds_every_health_check(self, service: str) -> None:
        assert {"test", "interval", "timeout"} <= set(SERVICES[service]["healthcheck"])

    @pytest.mark.parametrize("service", [*OURS, "migrate"])
    def test_gives_every_variable_of_production(self, service: str) -> None:
        given = SERVICES[service]["environment"]
        of_the_owner = {"DATABASE_MIGRATION_URL"} & (
            {*given} if service == "migrate" else DOCUMENTED
        )
        assert {*given} | {*IMAGE} - {"PATH"} == DOCUMENTED - (of_the_owner - {*given})
        assert not {*given} & {*IMAGE}

    @pytest.mark.parametrize("name", sorted(NEEDED))
    def test_demands_what_is_needed(self, name: str) -> None:
        value = SERVICES["web"]["environment"][name]
        assert ":?" in value or name == "REDIS_URL"

    def test_holds_no_key_and_no_password(self) -> None:
        secret = re.compile(r"(?:KEYS?|PASSWORD): (.*)")
        values = secret.findall((ROOT / "compose.yaml").read_text())
        assert len(values) == 4
        assert all(re.fullmatch(r"\$\{[A-Z_]+:\?.+\}", value) for value in values)

    @pytest.mark.parametrize("service", OURS)
    def test_waits_for_the_tables_and_the_servers(self, service: str) -> None:
        assert SERVICES[service]["depends_on"] == {
            "migrate": {"condition": "service_completed_successfully"},
            "postgres": {"condition": "service_healthy"},
            "redis": {"condition": "service_healthy"},
        }

    def test_prepares_the_database_as_the_manual_does_and_once(self) -> None:
        step = SERVICES["migrate"]
        assert step["restart"] == "no"
        first_start = _section("First start")
        for line in step["command"][-1].strip().split("\n"):
            assert f".venv/bin/{line}\n" in first_start

    @pytest.mark.parametrize("service", [*OURS, "migrate"])
    def test_lets_no_service_write_its_own_code_or_gain_rights(self, service: str) -> None:
        assert SERVICES[service]["read_only"] is True
        assert SERVICES[service]["cap_drop"] == ["ALL"]
        assert SERVICES[service]["security_opt"] == ["no-new-privileges:true"]

    def test_keeps_what_must_stay(self) -> None:
        named = {
            name: [mount.split(":")[0] for mount in service.get("volumes", [])]
            for name, service in SERVICES.items()
        }
        assert named["postgres"] == ["postgres"]
        assert all(named[name] == ["data"] for name in (*OURS, "migrate"))
        assert set(COMPOSE["volumes"]) == {"data", "postgres"}

    def test_takes_servers_that_are_new_enough(self) -> None:
        majors = {name: int(re.split(r"[:.-]", SERVICES[name]["image"])[1]) for name in SERVERS}
        assert majors["postgres"] >= engines.POSTGRES_AT_LEAST
        assert majors["redis"] >= engines.REDIS_AT_LEAST
        assert f"PostgreSQL {majors['postgres']} and Redis" in _section("In containers")

    def test_sets_postgresql_up_as_the_manual_and_the_embedded_one(self) -> None:
        given = set(re.findall(r"-c (\S+=\S+)", SERVICES["postgres"]["command"]))
        assert set(engines.FOR_LARGE_WRITES) <= given
        manual = dict(re.findall(r"^    (\w+) = (\S+)", _section("What is needed"), re.MULTILINE))
        assert {each.split("=")[0] for each in given} == set(manual)
        others = given - set(engines.FOR_LARGE_WRITES)
        assert others <= {f"{name}={value}" for name, value in manual.items()}

    def test_shows_only_the_web_and_only_to_the_proxy_on_its_machine(self) -> None:
        assert SERVICES["web"]["ports"] == ["127.0.0.1:8000:8000"]
        assert not any("ports" in SERVICES[name] for name in SERVICES if name != "web")


class TestHealthCheckOfTheWeb:
    @pytest.fixture
    def ask(self, live_server: LiveServer) -> str:
        code = str(SERVICES["web"]["healthcheck"]["test"][-1])
        assert "http://127.0.0.1:8000/" in code
        return code.replace("http://127.0.0.1:8000/", f"{live_server.url}/")

    @pytest.mark.parametrize(("host", "code"), [("localhost,other.example", 0), ("bad host", 1)])
    def test_tells_a_well_one_from_another(self, ask: str, host: str, code: int) -> None:
        asked = subprocess.run(
            [sys.executable, "-c", ask],
            env={"PATH": os.environ["PATH"], "ALLOWED_HOSTS": host},
            capture_output=True,
            text=True,
            check=False,
        )
        assert asked.returncode == code, asked.stderr


class TestImage:
    def test_installs_what_is_locked_with_any_pip(self) -> None:
        runs = [rest for word, rest in _instructions(CONTAINERFILE) if word == "RUN"]
        (installs,) = [run for run in runs if "pip install" in run]
        assert {"--no-deps", "--require-hashes"} <= set(installs.split())
        assert "npm ci" in runs

    def test_names_the_tags_of_its_bases_in_one_place(self) -> None:
        instructions = _instructions(CONTAINERFILE)
        bases = dict(rest.split("=") for word, rest in instructions if word == "ARG")
        used = [rest.split()[0] for word, rest in instructions if word == "FROM"]
        assert {f"${{{name}}}" for name in bases} == set(used)
        assert all(re.fullmatch(r"[a-z]+:\d\S*-bookworm\S*", base) for base in bases.values())

    def test_runs_as_nobody_special(self) -> None:
        word, user = _instructions(CONTAINERFILE)[-1]
        assert (word, user) == ("USER", "10001")
        assert f"useradd --uid {user} " in CONTAINERFILE

    def test_is_one_for_production(self) -> None:
        assert IMAGE["WANGGE_PRODUCTION"] == "1"
        assert f"WANGGE_DATA={IMAGE['WANGGE_DATA']}\n" in _section("Keys")
        assert not {*IMAGE} & {*keys.NAMES}

    def test_takes_what_runs_and_nothing_else(self) -> None:
        lines = (ROOT / ".dockerignore").read_text().split("\n")
        assert "*" in lines
        taken = {line[1:] for line in lines if line.startswith("!")}
        tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).split("\n")
        assert taken <= {path.split("/")[0] for path in tracked}

        project = tomllib.loads((ROOT / "pyproject.toml").read_text())
        ours = set(project["tool"]["importlinter"]["root_packages"])
        folders = {Path(path).relative_to(ROOT).parts[0] for path in settings.LOCALE_PATHS}
        copied = {
            name
            for word, rest in _instructions(CONTAINERFILE)
            if word == "COPY" and "--from" not in rest
            for name in rest.split()[:-1]
            if name != "."
        }
        assert {*ours, *folders, *copied, "templates", "static", "manage.py"} == taken
