"""
Every page that answers GET, asked for with what nobody types: no answer is an error of ours.

Which parameters a page reads is read from its source; all of them are given at once, with those
of all other pages, and one by one.
"""

import inspect
import re
from collections.abc import Iterator
from functools import cache
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.urls import get_resolver

from policy.questions.forms import KINDS, QuestionForm
from quarantine.lists.filters import ArrivalFilter, CaseFilter
from tests.portal.test_access import PAGES, World, address, patterns, world

pytestmark = pytest.mark.django_db
__all__ = ["world"]  # a fixture

HOSTILE = {
    "nothing": "",
    "NUL": "\0",
    "very long": "长" * 400,
    "many digits": "9" * 4_500,  # more than Python reads
    "beyond bigint": "9223372036854775808",
    "negative": "-1",
    "other digits": "٣²",
    "last of all days": "9999-12-31",
    "first of all days": "0001-01-01",
    "no day": "2022-02-30",
    "a list": "[1, 2]",
    "a quotation": "'\"; --%s{}",
}
ALONE = {HOSTILE[name] for name in ("NUL", "many digits", "negative", "last of all days")}
LAST = HOSTILE["last of all days"]
AT_ONCE = 40  # characters of each, where all are given: no server takes a long address
VIEWS = {name: pattern.callback for name, pattern, _ in patterns(get_resolver())}
_READ = re.compile(r'GET(?:\.get(?:list)?\(|\[)"(\w+)"|"(\w+)" in request\.GET')
# What filters and forms read by their fields.
OF_FORMS = {
    *(*ArrivalFilter.base_filters, *CaseFilter.base_filters, "day", "about", "area", "role"),
}


@cache
def read_by(view: Any) -> frozenset[str]:
    """Return the parameters that a view, or what it calls in its own module, reads."""
    view = inspect.unwrap(view)
    module = inspect.getmodule(view)
    if module is None or not inspect.isfunction(view) or module.__name__.startswith("allauth"):
        return frozenset()
    return frozenset(
        name
        for function in _called(view, module)
        for names in _READ.findall(inspect.getsource(function))
        for name in names
        if name
    )


def _called(view: Any, module: ModuleType) -> Iterator[Any]:
    seen, waiting = set(), [view]
    while waiting:
        function = waiting.pop()
        seen.add(function)
        yield function
        for word in re.findall(r"\b\w+(?=\()", inspect.getsource(function)):
            other = getattr(module, word, None)
            if inspect.isfunction(other) and other.__module__ == module.__name__:
                waiting += [other] if other not in seen else []


# How well the portal is, is told by the status.
HEALTH = {"healthz", "healthz/worker"}
PAGES_TO_GET = sorted(name for name in set(PAGES) - HEALTH if "get" in PAGES[name].methods)
EVERYWHERE = frozenset.union(*(read_by(VIEWS[name]) for name in PAGES_TO_GET)) | OF_FORMS


def test_the_parameters_are_found() -> None:
    assert {"area", "after", "before", "grid", "show", "kind", "sheet"} <= EVERYWHERE
    assert "kind" in read_by(VIEWS["today"])


@pytest.mark.parametrize("name", PAGES_TO_GET)
def test_no_page_fails_over_its_address(name: str, world: World) -> None:
    page = PAGES[name]
    url = address(name, **page.kwargs(world.here))
    may = [one for one in world.people if one.role in (page.roles or {None})]
    inside = next((one for one in may if world.here.name in one.places), may[0])
    client = Client()
    client.cookies.load(inside.cookies)
    for value in HOSTILE.values():
        given = [dict.fromkeys(sorted(EVERYWHERE), value[:AT_ONCE])]
        if value in ALONE:
            given += [{parameter: value} for parameter in sorted(read_by(VIEWS[name]))]
        for parameters in given:
            assert client.get(url, parameters).status_code < 500, (url, parameters)


@pytest.mark.parametrize("kind", KINDS)
def test_no_question_fails_over_its_address(kind: str, world: World) -> None:
    inside = next(one for one in world.people if one.called == "community")
    client = Client()
    client.cookies.load(inside.cookies)
    fields = list(QuestionForm(kind).fields)
    for value in HOSTILE.values():
        alone = [[field] for field in fields] if value in {HOSTILE["many digits"], LAST} else []
        for named in (fields, *alone):
            parameters = {"ask": kind, **dict.fromkeys(named, value)}
            assert client.get(address("calculator"), parameters).status_code < 500, parameters
