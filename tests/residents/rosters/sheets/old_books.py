"""Workbooks before 2007, record by record ([MS-XLS], [MS-CFB])."""

import io
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import olefile

OLD = Path(__file__).with_name("troubles.xls").read_bytes()
BEGIN, END, BOUND_SHEET, ROW = 0x0809, 0x000A, 0x0085, 0x0208
SECTOR, LEAST = 512, 4096
FREE, LAST, TABLE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


@dataclass
class Record:
    """A record, with where it stood before; None where it is new."""

    kind: int
    body: bytes
    at: int | None = None


Records = list[Record]


def rewritten_old(edit: Callable[[Records], None], *, storage: str = "") -> bytes:
    """Return the old workbook of troubles with other records, perhaps with a storage besides."""
    records = _records(olefile.OleFileIO(io.BytesIO(OLD)).openstream("Workbook").read())
    edit(records)
    moved, at = {}, 0
    for record in records:
        moved[record.at] = at
        at += 4 + len(record.body)
    for record in records:
        if record.kind == BOUND_SHEET:
            (position,) = struct.unpack_from("<I", record.body)
            record.body = struct.pack("<I", moved[position]) + record.body[4:]
    stream = b"".join(struct.pack("<HH", r.kind, len(r.body)) + r.body for r in records)
    return _compound(stream, storage)


def in_first_sheet(kind: int, body: bytes) -> Callable[[Records], None]:
    """Return the edit that adds a record at the end of the first sheet."""
    return lambda records: records.insert(_ends(records)[1], Record(kind, body))


def in_workbook(kind: int, body: bytes) -> Callable[[Records], None]:
    """Return the edit that adds a record that tells of the whole workbook."""
    return lambda records: records.insert(_ends(records)[0], Record(kind, body))


def with_row_hidden(number: int) -> Callable[[Records], None]:
    """Return the edit that hides a row of the first sheet, by its number from 1."""

    def edit(records: Records) -> None:
        row = next(
            record
            for record in records
            if record.kind == ROW and record.body[:2] == struct.pack("<H", number - 1)
        )
        row.body = row.body[:12] + bytes([row.body[12] | 0x20]) + row.body[13:]

    return edit


def formula(row: int, column: int, value: bytes, parsed: bytes = b"\x1e\x01\x00") -> bytes:
    """Return a cell with a formula: 1, where it is not said otherwise."""
    head = struct.pack("<3H", row, column, 15) + value + struct.pack("<HIH", 0, 0, len(parsed))
    return head + parsed


def _records(stream: bytes) -> Records:
    records: Records = []
    at = depth = 0
    while depth or struct.unpack_from("<H", stream, at)[0] == BEGIN:
        kind, length = struct.unpack_from("<HH", stream, at)
        depth += (kind == BEGIN) - (kind == END)
        records.append(Record(kind, stream[at + 4 : at + 4 + length], at))
        at += 4 + length
    return records


def _ends(records: Records) -> list[int]:
    return [number for number, record in enumerate(records) if record.kind == END]


def _compound(stream: bytes, storage: str) -> bytes:
    stream = stream.ljust(max(LEAST, -(-len(stream) // SECTOR) * SECTOR), b"\0")
    sectors = len(stream) // SECTOR
    table = [TABLE, LAST, *range(3, sectors + 2), LAST]
    table += [FREE] * (SECTOR // 4 - len(table))
    entries = [
        _entry("Root Entry", 5, child=1),
        _entry("Workbook", 2, right=2 if storage else FREE, start=2, size=len(stream)),
        _entry(storage, 1) if storage else bytes(128),
        bytes(128),
    ]
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9I", 0, 1, 1, 0, LEAST, LAST, 0, LAST, 0)
    header += struct.pack("<109I", 0, *[FREE] * 108)
    return header + struct.pack(f"<{len(table)}I", *table) + b"".join(entries) + stream


def _entry(
    name: str, kind: int, *, right: int = FREE, child: int = FREE, start: int = 0, size: int = 0
) -> bytes:
    text = name.encode("utf-16-le")
    head = text.ljust(64, b"\0") + struct.pack(
        "<HBB3I", len(text) + 2, kind, 1, FREE, right, child
    )
    return head + bytes(36) + struct.pack("<IQ", start, size)
