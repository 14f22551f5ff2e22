"""
The head of the audit's chain, noted outside the database.

A chain cannot see that its own end was cut off. So its head is noted each night, and whoever
keeps a copy of the notes elsewhere can compare.
"""

from datetime import datetime
from pathlib import Path

from accounts.auditing.chain import head_line
from accounts.auditing.models import AuditSeal


def read(path: Path) -> list[tuple[int, str]]:
    """Return number and digest of every seal that was noted; nothing where no file is."""
    if not path.exists():
        return []
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return [(int(number), digest) for _at, number, digest in lines]


def note(path: Path, head: AuditSeal, *, at: datetime) -> None:
    """Add a head to the notes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"{at.isoformat(timespec='seconds')} {head_line(head)}\n")
