"""
Anchors of the audit's chain: its heads, appended to a file outside the database as they are made.

A chain cannot detect that its own end was cut off, nor that whoever owns the database linked all
of it anew. Each transaction that is audited therefore notes the head after it; a copy of that
file kept elsewhere allows the comparison.

A line is `moment number digest`, with a time stamp behind where an authority gave one. `moment
restored number digest` says that a backup was restored, and that heads above that number are gone.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.auditing.models import AuditLink

log = structlog.get_logger(__name__)
RESTORED = "restored"


@dataclass(frozen=True)
class Anchor:
    """A line of the file."""

    number: int
    digest: str
    restored: bool = False
    stamp: bytes = b""


def note_after_commit() -> None:
    """Note the head of the chain once the transaction has committed."""
    waiting = transaction.get_connection().run_on_commit
    if not any(run is note for _savepoints, run, _robust in waiting):
        transaction.on_commit(note, robust=True)


def note() -> None:
    """
    Append the head of the chain to the file of anchors.

    What cannot be noted is logged: the next head covers it.
    """
    if head := current_head():
        try:
            _append(f"{head.number} {head.digest}")
        except OSError as error:
            log.error("audit_not_anchored", number=head.number, error=type(error).__name__)  # noqa: TRY400


def give_up_lost(path: Path) -> int:
    """
    Say in the file, where the database is a restored one, that later heads went with the rest.

    Return how many anchors that are. They stay in the file, before the line that says so.
    """
    last, lost = Anchor(0, "-"), 0
    for anchor in Notes.of(path).standing():
        rows = AuditLink.objects.filter(pk=anchor.number).values_list("digest", flat=True)
        if anchor.digest not in (bytes(digest).hex() for digest in rows):
            lost += 1
        elif not lost and anchor.number > last.number:
            last = anchor
    if lost:
        _append(f"{RESTORED} {last.number} {last.digest}")
    return lost


def note_stamp(head: Anchor, stamp: bytes) -> None:
    """Append the time stamp of a head."""
    _append(f"{head.number} {head.digest} {base64.b64encode(stamp).decode()}")


def current_head() -> Anchor | None:
    """Return the last link of the chain."""
    last = AuditLink.objects.order_by("-number").values_list("number", "digest").first()
    return Anchor(last[0], bytes(last[1]).hex()) if last else None


@dataclass(frozen=True)
class Notes:
    """Files of anchors as they were at one moment: what is appended later is left out."""

    sizes: dict[Path, int]

    @classmethod
    def of(cls, *paths: Path) -> Self:
        """Return the notes in files, the oldest first; a file that is not there has none."""
        return cls({path: path.stat().st_size for path in paths if path.exists()})

    def __iter__(self) -> Iterator[Anchor]:
        for path, size in self.sizes.items():
            read = 0
            with path.open("rb") as lines:
                for line in lines:
                    read += len(line)
                    if read > size:
                        break
                    if line.strip():
                        yield _parsed(line.decode())

    def standing(self) -> Iterator[Anchor]:
        """Yield the anchors, but for those that a later restoring gave up."""
        ends = [anchor.number for anchor in self if anchor.restored]
        for anchor in self:
            if anchor.restored:
                ends.pop(0)
            elif all(anchor.number <= end for end in ends):
                yield anchor


def _parsed(line: str) -> Anchor:
    _at, *words = line.split()
    if words[0] == RESTORED:
        return Anchor(int(words[1]), words[2], restored=True)
    stamp = base64.b64decode(words[2]) if len(words) > 2 else b""
    return Anchor(int(words[0]), words[1], stamp=stamp)


def _append(line: str) -> None:
    # One write of less than a block: lines of several processes do not mix.
    at: datetime = timezone.now()  # noqa: TID251 - the real time, as in the audit
    path: Path = settings.AUDIT_ANCHORS
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab", buffering=0) as file:
        file.write(f"{at.isoformat(timespec='seconds')} {line}\n".encode())
