"""
Benchmarks, each with a reference.

Each module has a function `run` that returns a list of figures; `python -m bench` runs them on
engines and a database of their own.
"""

from typing import TypedDict


class Figure(TypedDict):
    """One measured value."""

    name: str
    value: float
    reference: float | None
    ratio: float | None
    goal: str
    ok: bool


def figure(
    name: str, value: float, *, goal: str, ok: bool, reference: float | None = None
) -> Figure:
    """Return a figure with its ratio to the reference."""
    ratio = value / reference if reference else None
    return Figure(name=name, value=value, reference=reference, ratio=ratio, goal=goal, ok=ok)
