"""Every way in which one value of a document can be another."""

import types
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from policy.engine.documents.schema import Document, Provision, Strict
from policy.engine.text import Text

M = TypeVar("M", bound=Strict)
# Words of the author's, which are shown beside the values and not written out.
WORDS = {"summary", "why"}


def _alternatives(annotation: Any, value: Any) -> Iterator[Any]:
    """Yield other values of a type, `value` being one."""
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from _within_bounds(parts, value)
    elif origin in (Union, types.UnionType):
        for part in parts:
            yield from _alternatives(part, value)
    elif origin is Literal:
        yield from (word for word in parts if word != value)
    elif origin is tuple:
        yield from _other_tuples(parts[0], value)
    elif issubclass(annotation, Strict):
        yield from changed(value) if isinstance(value, annotation) else [least(annotation)]
    else:
        yield from _PLAIN[annotation](value)


def _within_bounds(parts: tuple[Any, ...], value: Any) -> Iterator[Any]:
    bounds = (bound for part in parts for bound in getattr(part, "metadata", ()))
    most = next((bound.le for bound in bounds if hasattr(bound, "le")), None)
    for other in _alternatives(parts[0], value):
        if most is None or not isinstance(other, int | float) or other <= most:
            yield other


def _numbers(kind: type[float]) -> Callable[[Any], list[Any]]:
    def others(value: Any) -> list[Any]:
        number = value if isinstance(value, int | float) else 4
        return [kind(number + step) for step in (1, -1, 7) if number + step > 0]

    return others


_PLAIN: dict[Any, Callable[[Any], Iterable[Any]]] = {
    types.NoneType: lambda value: () if value is None else (None,),
    bool: lambda value: {True, False} - {value},
    int: _numbers(int),
    float: _numbers(float),
    str: lambda value: (f"{value}0" if isinstance(value, str) else "411400",),
    Text: lambda value: (
        Text(f"{value.zh}二", f"{value.en} 2")
        if isinstance(value, Text)
        else Text("别的", "else"),
    ),
    date: lambda value: (
        value + timedelta(days=1) if isinstance(value, date) else date(2023, 1, 1),
    ),
}


def _other_tuples(kind: Any, value: Any) -> Iterator[Any]:
    items = value if isinstance(value, tuple) else ()
    if items:
        yield items[:-1]
    if len(items) > 1:
        yield items[::-1]
    for number, item in enumerate(items):
        for other in _alternatives(kind, item):
            if other not in items:
                yield (*items[:number], other, *items[number + 1 :])
    for other in _alternatives(kind, None):
        if other is not None and other not in items:
            yield (*items, other)


def least(kind: type[Strict]) -> Strict:
    """Return a model of a kind with the first value that each field can have."""
    given = {
        name: next(iter(_alternatives(_annotation(kind, name), None)))
        for name, field in kind.model_fields.items()
        if field.is_required()
    }
    return kind.model_construct(**given)


def _annotation(kind: type[Strict], name: str) -> Any:
    return kind.model_fields[name].annotation


def changed(model: M) -> Iterator[M]:
    """Yield the model with one value changed, in every place and way."""
    for name in type(model).model_fields:
        if name in WORDS or name == "subject":
            continue
        for other in _values(model, name):
            yield model.model_copy(update={name: other})


def _values(model: Strict, name: str) -> Iterator[Any]:
    value = getattr(model, name)
    if name in ("provisions", "no_provision"):
        for number, item in enumerate(value):
            for other in changed(item):
                yield (*value[:number], other, *value[number + 1 :])
            yield (*value[:number], *value[number + 1 :])
        return
    yield from _alternatives(_annotation(type(model), name), value)


def swapped(document: Document) -> Iterator[Document]:
    """Yield the document with two neighbours of one subject in the other order."""
    provisions = document.provisions
    for first in range(len(provisions) - 1):
        one, two = provisions[first : first + 2]
        if one.subject == two.subject and _values_of(one) != _values_of(two):
            both = (*provisions[:first], two, one, *provisions[first + 2 :])
            yield document.model_copy(update={"provisions": both})


def _values_of(provision: Provision) -> dict[str, Any]:
    return {name: value for name, value in provision if name not in WORDS}
