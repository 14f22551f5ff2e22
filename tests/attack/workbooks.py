"""
Hostile workbooks by the hundred: a roster, with what an attacker or a broken program does to it.

Each number makes one file, always the same: some of `TRICKS` one after the other, at times with
bytes changed, cut off or doubled besides.
"""

import io
import random
import re
import zipfile
from collections.abc import Callable

from tests.residents.rosters.steps import workbook

SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
SECRET = "/etc/passwd"
Parts = dict[str, bytes]
Trick = Callable[[Parts, random.Random], None]
ROW = re.compile(rb"</row>")


def file_of(number: int) -> bytes:
    """Return the hostile file of a number."""
    chance = random.Random(number)  # noqa: S311 - no secret
    parts = _parts(
        workbook(*[["样甲", "", f"1380013{n:04}", "", "3号楼", "", n] for n in range(20)])
    )
    for trick in chance.sample(TRICKS, chance.choice((1, 1, 2, 3))):
        trick(parts, chance)
    content = _packed(parts, chance)
    return _broken(content, chance) if chance.random() < 0.25 else content


def _parts(content: bytes) -> Parts:
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return {name: book.read(name) for name in book.namelist()}


def _packed(parts: Parts, chance: random.Random) -> bytes:
    file = io.BytesIO()
    method = chance.choice((zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED))
    with zipfile.ZipFile(file, "w", method) as book:
        for name, content in parts.items():
            book.writestr(name, content, zipfile.ZIP_DEFLATED if len(content) > 1 << 20 else None)
    return file.getvalue()


def _broken(content: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(content))
    return chance.choice(
        (
            lambda: content[:at],
            lambda: content[:at] + chance.randbytes(40) + content[at + 40 :],
            lambda: content[:at] + content[at // 2 :],
            lambda: content + content,
            lambda: b"\0" * 64 + content,
        )
    )()


def _replaced(part: str, old: bytes, new: Callable[[random.Random], bytes]) -> Trick:
    def trick(parts: Parts, chance: random.Random) -> None:
        if part in parts:
            parts[part] = parts[part].replace(old, new(chance), 1)

    return trick


def _added(part: str, content: Callable[[random.Random], bytes]) -> Trick:
    def trick(parts: Parts, chance: random.Random) -> None:
        parts[part] = content(chance)

    return trick


def _doctype(declared: str, used: bytes = b"&x;") -> Callable[[random.Random], bytes]:
    return lambda _: f"<!DOCTYPE x [{declared}]>".encode() + b"<worksheet x='" + used + b"'"


def _cell(inside: bytes, attributes: bytes = b"") -> Callable[[random.Random], bytes]:
    return lambda _: b'<c r="H2" ' + attributes + b">" + inside + b"</c></row>"


def _rows(number: int, row: str) -> Callable[[random.Random], bytes]:
    return lambda _: "".join(row.format(n=n) for n in range(number)).encode() + b"</sheetData>"


def _dimension(ref: bytes) -> Callable[[random.Random], bytes]:
    return lambda _: b'<dimension ref="' + ref + b'"/><sheetData>'


def _drop(parts: Parts, chance: random.Random) -> None:
    del parts[chance.choice(sorted(parts))]


def _emptied(parts: Parts, chance: random.Random) -> None:
    parts[chance.choice(sorted(parts))] = b""


def _other_encoding(parts: Parts, chance: random.Random) -> None:
    encoding = chance.choice(("utf-16", "utf-7", "utf-32", "cp037"))
    text = parts[SHEET].decode("utf-8", "replace").replace("UTF-8", encoding)
    parts[SHEET] = text.encode(encoding, "replace")


def _shuffled_rows(parts: Parts, chance: random.Random) -> None:
    parts[SHEET] = re.sub(
        rb'r="(\d+)"', lambda _: b'r="%d"' % chance.choice((0, -1, 5, 2**31, 2**64)), parts[SHEET]
    )


def _paths(parts: Parts, chance: random.Random) -> None:
    up = chance.choice(("../" * 12 + "tmp/wangge-was-here", "/tmp/wangge-was-here", "C:\\x", "\0"))  # noqa: S108
    parts[up] = b"was here"


TRICKS: list[Trick] = [
    # Bombs
    _replaced(SHEET, b"</sheetData>", _rows(2_000_000, "<row></row>")),
    _replaced(SHEET, b"</sheetData>", lambda _: b" " * (60 << 20) + b"</sheetData>"),
    _added("xl/media/image1.png", lambda _: b"\0" * (80 << 20)),
    _added("docProps/app.xml", lambda chance: chance.randbytes(3 << 20)),
    _replaced(
        SHEET, b"</sheetData>", _rows(200_000, '<row r="{n}"><c r="A{n}"><v>1</v></c></row>')
    ),
    _added(
        STRINGS,
        lambda _: (
            b"<sst xmlns='http://schemas.openxmlformats.org/spreadsheetml/2006/main'>"
            + b"<si><t>x</t></si>" * 1_000_000
            + b"</sst>"
        ),
    ),
    lambda parts, _: parts.update({f"xl/worksheets/sheet{n}.xml": b"" for n in range(2, 900)}),
    _replaced(SHEET, b"<sheetData>", lambda _: b"<a>" * 200_000 + b"<sheetData>"),
    # Entities and links out
    _replaced(SHEET, b"<worksheet", _doctype(f'<!ENTITY x SYSTEM "file://{SECRET}">')),
    _replaced(SHEET, b"<worksheet", _doctype('<!ENTITY x SYSTEM "http://127.0.0.1:9/x">')),
    _replaced(SHEET, b"<worksheet", _doctype('<!ENTITY % p SYSTEM "http://127.0.0.1:9/x"> %p;')),
    _replaced(BOOK, b"<workbook", _doctype('<!ENTITY a "xx"><!ENTITY x "&a;&a;&a;&a;">')),
    _added("xl/externalLinks/externalLink1.xml", lambda _: b"<externalLink/>"),
    _added("xl/connections.xml", lambda _: b"<connections><connection id='1'/></connections>"),
    _replaced(
        RELATIONS,
        b"</Relationships>",
        lambda _: (
            f'<Relationship Id="r99" Type="x" TargetMode="External" Target="file://{SECRET}"/>'
            "</Relationships>".encode()
        ),
    ),
    _replaced(RELATIONS, b"worksheets/sheet1.xml", lambda _: b"../../../../.." + SECRET.encode()),
    _added("xl/vbaProject.bin", lambda chance: chance.randbytes(500)),
    _paths,
    # Formulas
    *(
        _replaced(SHEET, b"</row>", _cell(b"<f>" + formula + b"</f><v>1</v>"))
        for formula in (
            b"cmd|'/c calc'!A1",
            b"WEBSERVICE(&quot;http://127.0.0.1:9/&quot;&amp;A1)",
            b"HYPERLINK(&quot;http://127.0.0.1:9/&quot;,A1)",
            b"[1]Sheet1!A1",
            b"'file:///etc/[passwd]x'!A1",
            b"H2",
            b"(" * 20_000,
        )
    ),
    _replaced(SHEET, b"</row>", _cell(b"<is><t>=cmd|'/c calc'!A1</t></is>", b't="inlineStr"')),
    # Wrong dimensions, indexes and numbers
    *(
        _replaced(SHEET, b"<sheetData>", _dimension(ref))
        for ref in (b"A1:XFD1048576", b"A1", b"ZZZZZZZ99999999999:A1", b"", b"B2:A1")
    ),
    _replaced(SHEET, b"</row>", lambda _: _million_columns() + b"</row>"),
    _replaced(SHEET, b"</row>", _cell(b"<v>4000000000</v>", b't="s"')),
    _replaced(SHEET, b"</row>", _cell(b"<v>-1</v>", b't="s"')),
    _replaced(SHEET, b"</row>", _cell(b"<v>1e999</v>", b's="99999"')),
    _replaced(SHEET, b"</row>", _cell(b"<v>NaN</v>")),
    _replaced(SHEET, b"</row>", lambda _: b'<c r="XFE1048577"><v>1</v></c></row>'),
    _replaced(SHEET, b"</row>", lambda _: b'<c r=""><v>1</v></c><c><v>2</v></c></row>'),
    _replaced(
        SHEET,
        b"</sheetData>",
        lambda _: b'</sheetData><mergeCells><mergeCell ref="A1:XFD1048576"/></mergeCells>',
    ),
    _shuffled_rows,
    # Broken parts
    _drop,
    _emptied,
    _other_encoding,
    _replaced(SHEET, b"</row>", _cell(b"<is><t>\x00\x1b[2J</t></is>", b't="inlineStr"')),
    _replaced(
        SHEET, b"</row>", _cell(b"<is><t>" + b"x" * 40_000 + b"</t></is>", b't="inlineStr"')
    ),
    _replaced(SHEET, b"</row>", _cell("<is><t>\u202e\ufeff</t></is>".encode(), b't="inlineStr"')),
    _replaced(SHEET, b"</worksheet>", lambda _: b""),
    _replaced(BOOK, b'name="', lambda chance: b'name="' + b"x" * chance.choice((31, 70_000))),
]


def _million_columns() -> bytes:
    """Return a million cells in one row; the last that Excel knows is XFD."""
    return b"".join(b'<c r="%s1"><v>1</v></c>' % _letters(n) for n in range(1_000_000))


def _letters(number: int) -> bytes:
    letters = b""
    number += 1
    while number:
        number, rest = divmod(number - 1, 26)
        letters = bytes([65 + rest]) + letters
    return letters
