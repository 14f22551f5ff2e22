"""Who sees whose rows: the areas a person answers for, as a condition on any queryset."""

from functools import reduce
from operator import or_
from typing import Any

from django.db import models


def within(user: Any, path: str) -> models.Q:
    """
    Return the condition that `path`, a lookup to an area's tree path, lies in `user`'s areas.

    For a user without areas it matches nothing.
    """
    paths = getattr(user, "area_paths", ())
    conditions = [models.Q(**{f"{path}__startswith": prefix}) for prefix in paths]
    return reduce(or_, conditions) if conditions else models.Q(pk__in=[])


def people_within(user: Any, path: str) -> models.Q:
    """Return `within` for rows about residents; matches nothing for roles that do not see them."""
    return within(user, path) if getattr(user, "sees_people", False) else models.Q(pk__in=[])
