"""
The demo: two invented neighbourhoods under two real notices, lived in for ten days.

Nobody in it exists: names are made of sample characters, ID numbers stand under an area code
that was never given out, phone numbers begin with 100.
"""

from datetime import datetime

from django.conf import settings
from django.db import connection, transaction

from accounts.staff.models import Area, User
from policy.services import load_documents
from portal.demo import care, community, history, places, staff
from portal.demo.staff import demo_exists, sign_ins

__all__ = ["NotEmptyError", "demo_exists", "seed", "sign_ins"]


class NotEmptyError(Exception):
    """A database that holds something else than the demo."""


def seed(*, at: datetime) -> bool:
    """
    Fill an empty database with the demo as of `at`, and return whether it was empty.

    On a database that holds the demo, only the passwords are set anew where their file is gone.
    """
    if not settings.DEMO:
        raise RuntimeError("Only the demo may be seeded.")
    if demo_exists():
        staff.store_sign_ins()
        return False
    if Area.objects.exists() or User.objects.exists():
        raise NotEmptyError("The database is not empty: the demo is made in an empty one only.")
    with transaction.atomic():
        grids = places.create_areas()
        staff.create_staff(grids)
        community.create_residents(grids, at=at)
        load_documents()
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")  # the planner must know what this transaction has made
        history.put_in_force(at=at, **staff.administrators())
        history.simulate_days(at=at)
        care.create_health_files(at=at)
        staff.store_sign_ins()
    return True
