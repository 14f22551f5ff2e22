"""What the repository promises about itself."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path

import pytest
from babel.messages.catalog import Message
from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parents[1]
TEXTS = Path("locale/zh_Hans/LC_MESSAGES/django.po")


def _tracked(*patterns: str) -> list[str]:
    listed = subprocess.check_output(["git", "ls-files", *patterns], cwd=ROOT, text=True)
    return listed.split("\n")[:-1]


def _messages(path: Path) -> list[Message]:
    with path.open("rb") as file:
        return [message for message in read_po(file) if message.id]


def _key(message: Message) -> tuple[object, object]:
    return message.context, message.id


class TestChinese:
    def test_is_complete_and_certain(self) -> None:
        def complete(message: Message) -> bool:
            forms = message.string if isinstance(message.string, tuple) else (message.string,)
            return all(forms) and not message.fuzzy and not list(message.check())

        assert [one.id for one in _messages(ROOT / TEXTS) if not complete(one)] == []

    @pytest.mark.skipif(not shutil.which("xgettext"), reason="needs gettext")
    def test_covers_every_text_of_the_code(self, tmp_path: Path) -> None:
        for name in _tracked("*.py", "*.html", "*.txt", str(TEXTS)):
            if not name.startswith("tests/"):
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, tmp_path / name)
        subprocess.run(
            [sys.executable, "-m", "django", "makemessages", "-l", "zh_Hans", "--no-obsolete"],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"]},  # without settings: the texts here and no others
            check=True,
            capture_output=True,
        )
        found = {_key(message) for message in _messages(tmp_path / TEXTS)}
        kept = {_key(message) for message in _messages(ROOT / TEXTS)}
        assert sorted(map(str, found - kept)) == []  # run make messages, and translate
        assert sorted(map(str, kept - found)) == []

    def test_knows_every_deed_of_the_audit(self) -> None:
        literal = re.compile(r"did=f?[\"']")
        bare = [
            name
            for name in _tracked("*.py")
            if not name.startswith(("tests/", "bench/"))
            and literal.search((ROOT / name).read_text())
        ]
        assert bare == []  # mark it by gettext_noop


class TestTheEngine:
    def test_may_import_nothing_that_lies_beside_it(self) -> None:
        settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
        contracts = settings["tool"]["importlinter"]["contracts"]
        (pure,) = [one for one in contracts if one.get("source_modules") == ["policy.engine"]]
        beside = {
            f"policy.{Path(name).parts[1].removesuffix('.py')}" for name in _tracked("policy/*.py")
        }

        assert beside - {"policy.engine", "policy.__init__"} <= set(pure["forbidden_modules"])
        assert {"django", "accounts"} <= set(pure["forbidden_modules"])


# Tests that stand for no one module: what they try goes through several, or lies in a document.
CAPABILITIES = {
    "accounts/test_sign_in.py",
    "policy/test_policy_authors.py",  # docs/policy-authors.md
    "policy/questions/test_api_robustness.py",
    "portal/test_access.py",
    "portal/test_access_accounts.py",
    "portal/test_colours.py",
    "portal/test_dump.py",
    "portal/test_error_pages.py",
    "portal/test_hostile_addresses.py",
    "portal/test_security.py",
    "portal/test_two_people.py",
    "portal/test_visibility.py",
    "quarantine/test_concurrency.py",
    "quarantine/switching/test_switching.py",
    "quarantine/switching/test_transition_properties.py",
    "quarantine/views/test_pages.py",
    "residents/rosters/test_interruptions.py",
    "residents/rosters/test_people_elsewhere.py",
    "residents/rosters/sheets/test_positions.py",
    "residents/rosters/test_taking_over.py",
}
# Folders of tests that walk through all of the portal.
THROUGH_ALL = ("journeys", "faults", "attack")


def _stands_for(test: Path) -> bool:
    """Say whether a test stands for a module, a folder or a command where its own folder says."""
    folder, name = ROOT / test.parent, test.stem.removeprefix("test_")
    if name == "in_chromium":
        return folder.is_dir()
    commands = folder / "management/commands"
    return any(
        path.exists() for path in (folder / f"{name}.py", folder / name, commands / f"{name}.py")
    )


class TestTheTests:
    def test_mirror_the_tree(self) -> None:
        tests = [Path(name).relative_to("tests") for name in _tracked("tests/*/test_*.py")]
        mirrored = [test for test in tests if test.parts[0] not in THROUGH_ALL]
        alone = {str(test) for test in mirrored if not _stands_for(test)}

        assert alone == CAPABILITIES


class TestContinuousIntegration:
    @pytest.mark.parametrize("long", ["faults", "attack"])
    def test_leaves_the_long_tests_out_both_times(self, long: str) -> None:
        tests = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]
        assert f"not {long}" in tests["ini_options"]["addopts"]
        chosen = re.findall(r'pytest .*-m "(.*)"', (ROOT / ".ci/run").read_text())
        assert chosen
        assert all(f"not {long}" in one for one in chosen)


class TestLocks:
    @pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
    def test_hold_every_wanted_version(self, name: str) -> None:
        pin = re.compile(r"^([\w-]+)(?:\[\S+\])?==(\S+)", re.MULTILINE)
        wanted = dict(pin.findall((ROOT / f"{name}.in").read_text()))
        locked = dict(pin.findall((ROOT / f"{name}.txt").read_text()))
        assert wanted
        assert wanted.items() <= locked.items()


class TestRelease:
    def test_is_named_in_one_place_and_dated_among_the_changes(self) -> None:
        version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
        named = subprocess.check_output(
            ["git", "grep", "-lwF", version, "--", ":!*requirements*", ":!package-lock.json"],
            cwd=ROOT,
            text=True,
        )
        assert named.split() == ["CHANGELOG.md", "pyproject.toml"]

        (newest, day), *_ = re.findall(
            r"^## (\d\S+) \((.+)\)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE
        )
        assert newest == version
        assert date.fromisoformat(day)


class TestMakefile:
    def test_is_short_and_explains_itself(self) -> None:
        makefile = (ROOT / "Makefile").read_text()
        targets = re.search(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)
        assert targets
        explained = re.findall(r"^([a-z]+):.*## .+$", makefile, re.MULTILINE)
        assert explained == targets[1].split()
        assert len(explained) <= 12
