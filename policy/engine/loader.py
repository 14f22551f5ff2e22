"""Reading a document strictly: what is wrong is refused with file, line and one sentence."""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.constructor import DuplicateKeyError
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from policy.engine.checks import faults
from policy.engine.errors import LawError
from policy.engine.schema import SUBJECTS, Document

LONGEST_DOCUMENT = 1_000_000
_DAY = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")


def _plain(value: Any) -> Any:
    """Return YAML's values as plain Python ones, lists as tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    if isinstance(value, ScalarBoolean):
        return bool(value)
    if isinstance(value, bool):
        return value
    return next((kind(value) for kind in (int, float, str) if isinstance(value, kind)), value)


def _line(data: Any, place: Sequence[int | str]) -> int:
    """Return the line of a place in the document, or of the nearest thing around it."""
    line = 0
    for step in place:
        if isinstance(data, CommentedMap) and step in data:
            line = data.lc.key(step)[0]
            data = data[step]
        elif isinstance(data, CommentedSeq) and isinstance(step, int) and step < len(data):
            line = data.lc.item(step)[0]
            data = data[step]
    return int(line) + 1


def _sentence(error: ErrorDetails) -> str:
    key = next((str(step) for step in reversed(error["loc"]) if isinstance(step, str)), "document")
    kind, message = error["type"], error["msg"]
    if kind == "extra_forbidden":
        return f"the key '{key}' is not known here."
    if kind == "missing":
        return f"the key '{key}' is missing."
    if kind == "value_error":
        return f"{key}: {message.removeprefix('Value error, ')}."
    if kind.startswith("union_tag"):
        return f"the subject is missing or none of {', '.join(SUBJECTS)}."
    return f"{key}: {message[:1].lower()}{message[1:]}, not {error['input']!r:.60}."


def _impossible_date(text: str) -> int:
    """Return the line of the first day that no calendar has; YAML's reader does not tell."""
    for number, line in enumerate(text.splitlines(), start=1):
        for day in _DAY.findall(line):
            try:
                date.fromisoformat(day)
            except ValueError:
                return number
    return 1


def _parsed(text: str, name: str) -> CommentedMap:
    if len(text) > LONGEST_DOCUMENT:
        raise LawError(name, 1, "the document is longer than any notice.")
    try:
        data = YAML(typ="rt", pure=True).load(text)
    except DuplicateKeyError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise LawError(name, line, "this key stands here for the second time.") from None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise LawError(name, mark.line + 1 if mark else 1, f"no YAML: {error.problem}.") from None
    except (YAMLError, ValueError, RecursionError) as error:
        line = _impossible_date(text)
        raise LawError(name, line, f"no YAML: {str(error).splitlines()[0]}.") from None
    if not isinstance(data, CommentedMap):
        raise LawError(name, 1, "a document is a mapping of keys to values.")
    return data


def read(text: str, name: str) -> Document:
    """
    Return the document that a YAML text describes.

    Raises `LawError` with the name, the line and a sentence for the first thing that is wrong.
    """
    data = _parsed(text, name)
    try:
        document = Document.model_validate(_plain(data))
    except ValidationError as refused:
        errors = sorted(refused.errors(), key=lambda error: _line(data, error["loc"]))
        raise LawError(name, _line(data, errors[0]["loc"]), _sentence(errors[0])) from None
    for fault in faults(document):
        raise LawError(name, _line(data, fault.place), fault.sentence)
    return document


def read_file(path: Path) -> Document:
    """Return the document of a file, whose name must be the document's id."""
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise LawError(path.name, 1, "the file is not UTF-8.") from None
    document = read(text, path.name)
    if document.id != path.stem:
        raise LawError(path.name, 1, f"the id '{document.id}' is not the file's name.")
    return document


def read_folder(folder: Path) -> dict[str, Document]:
    """Return all documents of a folder by id."""
    found = (read_file(path) for path in sorted(folder.glob("*.yaml")))
    documents = {document.id: document for document in found}
    check_kinship(documents.values())
    return documents


def check_kinship(documents: Iterable[Document]) -> None:
    """Refuse parents that are not known, that come later, or that go round in a circle."""
    known = {document.id: document for document in documents}
    for document in known.values():
        seen = {document.id}
        current = document
        while current.parent is not None:
            name = f"{document.id}.yaml"
            parent = known.get(current.parent)
            if parent is None:
                raise LawError(name, 1, f"the parent '{current.parent}' is not known.")
            if parent.id in seen:
                raise LawError(name, 1, f"'{parent.id}' is its own ancestor.")
            if parent.in_force_from > current.in_force_from:
                raise LawError(name, 1, f"the parent '{parent.id}' comes into force later.")
            seen.add(parent.id)
            current = parent
        if document.forwards not in (None, document.parent):
            raise LawError(f"{document.id}.yaml", 1, "a document forwards its parent, no other.")
