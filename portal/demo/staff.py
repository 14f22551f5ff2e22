"""The demo's accounts, and the file with their passwords for the owner of the installation."""

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from accounts.staff.models import Area, Role, User
from portal.demo.places import BAYANNUR, CANGSHAN

# Without letters and digits that look alike.
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"

_STREET, _CDC, _OFFICE = "示例街道办事处", "示例疾控中心", "示例防控办公室"
# User name: role, name, employer, codes of the areas.
_PEOPLE: dict[str, tuple[Role, str, str, tuple[str, ...]]] = {
    "grid.bayannur": (Role.GRID_STAFF, "示例·临河网格员", _STREET, (f"{BAYANNUR}90000101",)),
    "grid.cangshan": (Role.GRID_STAFF, "示例·仓山网格员", _STREET, (f"{CANGSHAN}90000101",)),
    "supervisor.bayannur": (Role.SUPERVISOR, "示例·临河督导员", _STREET, (BAYANNUR,)),
    "supervisor.cangshan": (Role.SUPERVISOR, "示例·仓山督导员", _STREET, (CANGSHAN,)),
    "supervisor": (Role.SUPERVISOR, "示例·总督导员", _STREET, (BAYANNUR, CANGSHAN)),
    "administrator": (Role.ADMINISTRATOR, "示例·管理员甲", _OFFICE, ("000000",)),
    "administrator.2": (Role.ADMINISTRATOR, "示例·管理员乙", _CDC, ("000000",)),
    "auditor": (Role.AUDITOR, "示例·审计员", "示例审计局", ("000000",)),
}


def demo_exists() -> bool:
    """Return whether the demo's accounts exist."""
    return User.objects.filter(username="grid.bayannur").exists()


def create_staff(grids: Iterable[Area]) -> None:
    """Create the accounts, with a colleague without a password for every further grid."""
    for username, (role, name, employer, codes) in _PEOPLE.items():
        _make(username, role, name, employer, codes)
    taken = {code for *_, codes in _PEOPLE.values() for code in codes}
    for grid in grids:
        if grid.code not in taken:
            name = f"示例·网格员{grid.code[-5:]}"
            _make(f"grid.{grid.code}", Role.GRID_STAFF, name, _STREET, [grid.code])


def _make(username: str, role: Role, name: str, employer: str, codes: Iterable[str]) -> None:
    user = User(username=username, role=role, name=name, employer=employer)
    user.set_unusable_password()
    user.save()
    user.areas.set(Area.objects.filter(code__in=list(codes)))


def administrators() -> dict[str, User]:
    """Return the administrators who propose and approve activations."""
    return {
        "proposer": User.objects.get(username="administrator"),
        "approver": User.objects.get(username="administrator.2"),
    }


def sign_ins() -> list[tuple[str, str, str]]:
    """Return role, user name and password of each account of the demo, none before its seed."""
    if not settings.DEMO or not _file().exists():
        return []
    passwords = json.loads(_file().read_text())
    return [
        (_PEOPLE[username][0].value, username, password)
        for username, password in passwords.items()
        if username in _PEOPLE
    ]


def store_sign_ins() -> None:
    """Give the accounts new passwords, kept for the owner of the data folder, if none are."""
    if _file().exists():
        return
    passwords = {username: _password() for username in _PEOPLE}
    users = list(User.objects.filter(username__in=passwords))
    for user in users:
        user.password = _hashed(passwords[user.username])
    User.objects.bulk_update(users, ["password"])
    _file().parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(_file(), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with open(handle, "w") as file:  # noqa: PTH123 - an open descriptor
        json.dump(passwords, file, indent=1)


def _file() -> Path:
    folder: Path = settings.DATA_DIR
    return folder / "demo-sign-ins.json"


def _hashed(password: str) -> str:
    """Hash a password of 58 random bits at once; its first use makes the hash a slow one."""
    hasher = PBKDF2PasswordHasher()
    return hasher.encode(password, hasher.salt(), iterations=10_000)


def _password() -> str:
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
