"""Who is a second voice to whom, by who acted alone upon whose account."""

from itertools import combinations, product

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given, settings
from hypothesis import strategies as st

from accounts.staff.models import Area, Role, User
from accounts.voices import independence
from accounts.voices.models import Intervention
from tests.factories import NOW, make_community, make_grid, make_user

pytestmark = pytest.mark.django_db

MADE, RESET, CHANGED = (
    Intervention.Kind.MADE,
    Intervention.Kind.RESET,
    Intervention.Kind.CHANGED,
)


def acts(by: User, account: User, kind: Intervention.Kind = MADE) -> None:
    independence.record(account=account, kind=kind, at=NOW, by=by)


def two_voices(first: User, second: User) -> bool:
    """Return whether they are two, which holds either way round."""
    there = not independence.no_second_voice(first=first, second=second)
    assert there == (not independence.no_second_voice(first=second, second=first))
    return there


@pytest.fixture
def community() -> Area:
    return make_community()


@pytest.fixture
def top(community: Area) -> User:
    return make_user(Role.ADMINISTRATOR, *Area.objects.filter(depth=1), employer="示例防控办")


@pytest.fixture
def second(community: Area) -> User:
    return make_user(Role.ADMINISTRATOR, *Area.objects.filter(depth=1), employer="示例疾控")


class TestTwoAccounts:
    def test_are_two_voices_where_nobody_acted_on_them(self) -> None:
        assert two_voices(make_user(), make_user())

    def test_are_never_one_and_the_same(self) -> None:
        one = make_user()

        assert not two_voices(one, User.objects.get(pk=one.pk))

    @pytest.mark.parametrize("kind", Intervention.Kind)
    def test_are_one_voice_with_who_acted_on_one_of_them(self, kind: Intervention.Kind) -> None:
        maker, made = make_user(), make_user()
        acts(maker, made, kind)

        assert not two_voices(maker, made)

    def test_are_one_voice_where_one_person_made_both(self) -> None:
        maker, one, other = make_user(), make_user(), make_user()
        acts(maker, one, MADE)
        acts(maker, other, RESET)

        assert not two_voices(one, other)

    def test_are_one_voice_through_accounts_between_them_even_closed_ones(self) -> None:
        maker, between, last, other = (make_user() for _ in range(4))
        acts(maker, between)
        acts(between, last)
        acts(maker, other, CHANGED)
        User.objects.filter(pk=between.pk).update(is_active=False)

        assert not two_voices(maker, last)
        assert not two_voices(other, last)

    def test_stay_two_where_both_acted_on_a_third(self) -> None:
        one, other, third = make_user(), make_user(), make_user()
        acts(one, third)
        acts(other, third, RESET)

        assert two_voices(one, other)
        assert not two_voices(one, third)
        assert not two_voices(other, third)

    def test_of_one_employer_are_one_only_where_the_rule_asks_for_two(self) -> None:
        one, other = make_user(employer="示例疾控"), make_user(employer="示例疾控")

        assert two_voices(one, other)
        assert independence.no_second_voice(first=one, second=other, acted_for=one.employer)


EDGES = st.sets(st.tuples(st.integers(0, 6), st.integers(0, 6)), max_size=14)


class TestAnyGraph:
    @settings(max_examples=60, deadline=None)
    @given(edges=EDGES, confirmed=EDGES)
    def test_ties_exactly_the_accounts_behind_which_one_person_stands(
        self, edges: set[tuple[int, int]], confirmed: set[tuple[int, int]]
    ) -> None:
        standing = {(by, account) for by, account in edges - confirmed if by != account}
        reaches = {(one, one) for one in range(7)} | standing
        for between, by, account in product(range(7), repeat=3):
            if (by, between) in reaches and (between, account) in reaches:
                reaches.add((by, account))

        with transaction.atomic():
            people = [make_user(password="") for _ in range(7)]
            independent = make_user(password="")
            for by, account in edges:
                if by != account:
                    acts(people[by], people[account])
            ended = [(people[by].pk, people[account].pk) for by, account in edges & confirmed]
            for by, account in ended:
                Intervention.objects.filter(by=by, account=account).update(
                    confirmed_by=independent, confirmed_at=NOW
                )
            for one, other in combinations(range(7), 2):
                behind = any((who, one) in reaches and (who, other) in reaches for who in range(7))
                assert two_voices(people[one], people[other]) == (not behind)
            transaction.set_rollback(True)


class TestAConfirmation:
    def test_ends_what_one_administrator_did_alone(
        self, top: User, second: User, community: Area
    ) -> None:
        made, other = (make_user(Role.SUPERVISOR, community) for _ in range(2))
        acts(top, made)
        acts(top, made, RESET)
        acts(top, other)
        assert set(independence.to_confirm(second)) == {made, other}

        independence.confirm(account=made, at=NOW, by=second)

        assert two_voices(top, made)
        assert two_voices(made, other)
        assert not two_voices(top, other)
        assert two_voices(second, made)
        assert set(independence.to_confirm(second)) == {other}

    def test_ends_only_what_was_shown(self, top: User, second: User, community: Area) -> None:
        made = make_user(Role.SUPERVISOR, community)
        acts(top, made)
        shown = list(made.interventions.values_list("pk", flat=True))
        acts(top, made, RESET)

        independence.confirm(account=made, acts=shown, at=NOW, by=second)

        assert not two_voices(top, made)

    def test_is_undone_by_the_next_act(self, top: User, second: User, community: Area) -> None:
        made = make_user(Role.SUPERVISOR, community)
        acts(top, made)
        independence.confirm(account=made, at=NOW, by=second)

        acts(top, made, RESET)

        assert not two_voices(top, made)

    def test_comes_from_nobody_who_is_not_independent(
        self, top: User, second: User, community: Area
    ) -> None:
        made = make_user(Role.SUPERVISOR, community)
        acts(top, made)
        roots = Area.objects.filter(depth=1)
        puppet = make_user(Role.ADMINISTRATOR, *roots, employer="示例虚构单位")
        acts(top, puppet)
        colleague = make_user(Role.ADMINISTRATOR, *roots, employer=top.employer)
        unemployed = make_user(Role.ADMINISTRATOR, *roots, employer="")
        elsewhere = make_user(Role.ADMINISTRATOR, make_grid(), employer="示例外区")

        for by in (top, puppet, colleague, unemployed, elsewhere, made):
            assert not independence.to_confirm(by).filter(pk=made.pk).exists()
            with pytest.raises(independence.NoSecondVoiceError):
                independence.confirm(account=made, at=NOW, by=by)
        assert not two_voices(top, made)

    def test_is_refused_by_the_database_from_who_is_not_independent(
        self, top: User, community: Area
    ) -> None:
        made, puppet = make_user(Role.SUPERVISOR, community), make_user(Role.ADMINISTRATOR)
        acts(top, made)
        acts(top, puppet)

        for by in (top, puppet):
            with pytest.raises(DatabaseError), transaction.atomic():
                Intervention.objects.filter(account=made).update(confirmed_by=by, confirmed_at=NOW)

    @pytest.mark.parametrize("change", [{"by_id": 1}, {"kind": "reset"}, None])
    def test_is_the_only_change_of_an_intervention(
        self, top: User, community: Area, change: dict[str, object] | None
    ) -> None:
        made = make_user(Role.SUPERVISOR, community)
        acts(top, made)
        rows = Intervention.objects.filter(account=made)

        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            rows.update(**change) if change else rows.delete()
