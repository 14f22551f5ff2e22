"""Large results are read behind a pooler, too."""

import pytest
from django.db import transaction

from accounts.staff.models import Area
from tests.factories import make_grid
from tests.pooling import pooled

pytestmark = pytest.mark.django_db(transaction=True)


def read_one_by_one() -> int:
    """Read rows by a cursor, and ask something else between one and the next."""
    return sum(
        Area.objects.filter(pk=area.pk).exists() for area in Area.objects.iterator(chunk_size=1)
    )


def test_a_result_is_read_whole_outside_a_transaction() -> None:
    make_grid()
    with pooled():
        assert read_one_by_one() == Area.objects.count() > 1


def test_a_result_is_read_by_a_cursor_of_the_server_within_one() -> None:
    make_grid()
    with pooled(), transaction.atomic():
        rows = Area.objects.iterator(chunk_size=1)
        next(rows)
        Area.objects.update(name="另一个名字")
        assert "另一个名字" not in {area.name for area in rows}
