"""Lists paged by key."""

import pytest

from accounts.staff.models import User
from common.paging import page_before, parse_key
from tests import factories


class TestKeyOf:
    @pytest.mark.parametrize("text", [None, "", "²", "٣", "-1", "1.0", "9" * 19])
    def test_is_none_for_what_is_no_key(self, text: str | None) -> None:
        assert parse_key(text) is None

    def test_reads_a_key(self) -> None:
        assert parse_key("17") == 17


class TestPageBefore:
    def test_goes_on_below_the_key_with_the_newest_first(self, db: None) -> None:
        users = [factories.make_user() for _ in range(3)]
        first = page_before(User.objects.all(), None, size=2)
        second = page_before(User.objects.all(), str(first.next), size=2)
        assert (first.rows, first.first) == ([users[2], users[1]], True)
        assert (second.rows[0], second.first) == (users[0], False)

    def test_ends_with_the_last_row(self, db: None) -> None:
        factories.make_user()
        assert page_before(User.objects.all(), None).next is None
