"""Plans in the database: one row for each different answer of the law."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING

from quarantine.models import Case, Plan

if TYPE_CHECKING:
    from policy.engine import plans


def store_plan(plan: plans.Plan) -> Plan:
    """Return the row of a plan, made if it is new."""
    return store_plans([plan])[plan.digest]


def store_plans(new: Collection[plans.Plan]) -> dict[str, Plan]:
    """Return the rows of many plans by digest, those that are new made. Three queries."""
    raise NotImplementedError


def unexplained_cases() -> list[Case]:
    """Return the open cases that do not follow from their stored facts under their law."""
    raise NotImplementedError
