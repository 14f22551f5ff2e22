"""The definition of one key of a question, found by its path."""

import functools
from collections.abc import Sequence
from dataclasses import MISSING, dataclass, fields
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from policy.engine.questions.contract import QUESTIONS


@dataclass(frozen=True, slots=True)
class Key:
    """A key: the type by which its value is read, and what holds where it is left out."""

    type: Any
    required: bool
    default: Any

    @property
    def items(self) -> Any:
        """The type of a value without its reader, null and the list around it."""
        return _items(self.type)

    @property
    def several(self) -> bool:
        """Whether the value is a list."""
        return any(get_origin(part) is tuple for part in get_args(self.type))


def key_at(question: str, path: Sequence[str]) -> Key:
    """Return the key of a question at a path, which leaves out rows of lists."""
    *holders, last = path
    holder: Any = QUESTIONS[question]
    for step in holders:
        holder = _keys(holder)[step].items
    return _keys(holder)[last]


@functools.cache
def _keys(holder: Any) -> dict[str, Key]:
    described = holder.model_fields if issubclass(holder, BaseModel) else _fields(holder)
    return {field.alias or name: _key(field) for name, field in described.items()}


def _fields(facts: Any) -> dict[str, FieldInfo]:
    types = get_type_hints(facts, include_extras=True)
    return {
        field.name: FieldInfo.from_annotation(types[field.name])
        if field.default is MISSING
        else FieldInfo.from_annotated_attribute(types[field.name], field.default)
        for field in fields(facts)
    }


def _key(field: FieldInfo) -> Key:
    read_by: Any = field.annotation
    if field.metadata:
        read_by = Annotated[(read_by, *field.metadata)]
    return Key(read_by, field.is_required(), field.default)


def _items(hint: Any) -> Any:
    while get_origin(hint) in {Annotated, UnionType, Union, tuple}:
        hint = get_args(hint)[0]
    return hint
