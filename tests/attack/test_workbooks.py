"""Hostile workbooks are refused or read; nothing else happens, and it takes little."""

import json
import os
from collections import Counter
from pathlib import Path

import pytest

from residents.rosters.sheets.reading import REFUSALS, UnreadableFileError, opened
from tests.attack.workbooks import SECRET, file_of

pytestmark = [pytest.mark.pure]
MOST_SECONDS = 60  # of processor time: what the reading process is allowed


def outcome(content: bytes) -> str:
    """Return why a file was refused, or "read"; its rows are taken to the end."""
    try:
        with opened(content) as book:
            for sheet in range(len(book.sheets)):
                for batch in book.rows(sheet):
                    assert "root:" not in json.dumps(batch, ensure_ascii=False)
    except UnreadableFileError as refused:
        return REFUSALS[refused.why] % refused.given and refused.why
    return "read"


def processor_time() -> float:
    """Return what this process and those that it has waited for have used."""
    return sum(os.times()[:4])


def attack(first: int, last: int) -> Counter[str]:
    """Try the files of some numbers; return how often each end was seen."""
    assert "root:" in Path(SECRET).read_text()
    ends: Counter[str] = Counter()
    for number in range(first, last):
        begun = processor_time()
        ends[outcome(file_of(number))] += 1
        assert processor_time() - begun < MOST_SECONDS + 20, number
    assert not Path("/tmp/wangge-was-here").exists()  # noqa: S108 - what an attacker would write
    return ends


class TestHostileWorkbooks:
    def test_are_refused_or_read(self) -> None:
        ends = attack(0, 15)

        assert sum(ends.values()) == 15
        assert len(ends) > 3

    @pytest.mark.attack
    def test_by_the_hundred_are_refused_or_read(self) -> None:
        ends = attack(100, 500)

        print(f"\n400 hostile workbooks: {dict(ends.most_common())}")  # noqa: T201
        assert "read" in ends
        assert len(ends) > 12
