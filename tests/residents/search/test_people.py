"""One box that understands what was typed, inside one's areas."""

from typing import Any

import pytest
from pytest_django import Settings

from accounts.auditing.models import AuditEntry
from accounts.staff.models import Role, User
from common.paging import SIZE
from residents.register import services
from residents.register.models import Resident
from residents.search import people
from residents.search.people import QueryKind, UnsearchableError
from tests.factories import (
    NOW,
    make_building,
    make_community,
    make_grid,
    make_household,
    make_resident,
    make_user,
)

pytestmark = pytest.mark.django_db

NUMBER = "11010519491231002X"


@pytest.fixture
def by() -> User:
    return make_user(Role.GRID_STAFF, make_grid())


def registered(by: User, name: str = "张伟明", **given: Any) -> Resident:
    grid = by.areas.get()
    household = make_household(
        building=services.building_at(grid=grid, name="3号楼"), unit="2单元", door="501"
    )
    return make_resident(household=household, by=by, name=name, **given)


def found(typed: str, by: User) -> tuple[QueryKind, list[str]]:
    answer = people.search(text=typed, today=NOW.date(), by=by)
    return answer.kind, [resident.name for resident in answer.page.rows]


class TestAName:
    @pytest.mark.parametrize(
        ("name", "typed"),
        [
            ("张伟明", "张伟明"),
            ("张伟明", "伟明"),
            ("张伟明", "张*"),
            ("张伟明", "zhang wei ming"),
            ("张伟明", "Zhāng Wěi"),
            ("张伟明", "zhang1wei3"),
            ("张伟明", "weim"),
            ("张伟明", "zwm"),
            ("张伟明", "wm"),
            ("张伟明", "zhangwm"),
            ("张伟明", "zhwm"),
            ("张伟明", "张wm"),
            ("单田芳", "shan"),
            ("单田芳", "dantf"),
            ("仇英", "chouying"),
            ("仇英", "qy"),
            ("解缙", "jiejin"),
            ("区志明", "ou"),
            ("区志明", "quzm"),
            ("查良镛", "cha"),
            ("查良镛", "zhaly"),
            ("曾国", "zengguo"),
            ("尉迟恭", "yuchi"),
            ("尉迟恭", "weichi"),
            ("张伟明", "zhangwe"),
            ("张伟明", "zhangweim"),
            ("张伟明", "weiming"),
            ("李乐行", "liyuehang"),
            ("李乐行", "lile"),
            ("欧阳明月", "ouyangmy"),
            ("欧阳明月", "阳明"),
            ("万俟卨", "moqi"),
            ("吕布", "lü"),
            ("吕布", "lvb"),
            ("吕布", "LYU BU"),
            ("陈俊宇", "chenjunyu"),
            ("吕布", "lubu"),
            ("吕布", "lu"),
            ("𠮷野", "𠮷"),
            ("𪚥龘", "𪚥龘"),
            ("李㛃", "㛃"),
            ("王䶮", "王䶮"),
            ("李〇", "〇"),
            ("葛\U000e0100城", "葛城"),
            ("阿卜杜拉·买买提", "买买提"),
            ("阿卜杜拉·买买提", "阿卜杜拉买"),
            ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
            ("阿卜杜拉·买买提", "maimaiti"),
            ("José Núñez", "nunez"),
            ("José Núñez", "jose n"),
            ("José Núñez", "josenunez"),
            ("José Núñez", "jn"),
            ("𠮷野", "吉野"),
            ("𠮷野", "jiye"),
            ("Trần Đức Lương", "Trần Đức Lương"),
            ("Trần Đức Lương", "duc luong"),
            ("Łukasz Żak", "Łukasz"),
            ("Łukasz Żak", "lukasz"),
            ("Jürgen Müller", "Müller"),
            ("Jürgen Müller", "jurgen m"),
            ("Raman A/L Maniam", "Raman A/L Maniam"),
            ("Aisyah @ Siti", "Aisyah @ Siti"),
            ("Silva, João", "Silva, João"),
        ],
    )
    def test_is_found_by_all_that_people_type(self, by: User, name: str, typed: str) -> None:
        registered(by, name)

        assert found(typed, by) == (QueryKind.NAME, [name])

    @pytest.mark.parametrize(
        "typed", ["张明", "zhangming", "wz", "伟明张", "李伟明", "zhangweig", "eiming"]
    )
    def test_is_not_found_by_other_names(self, by: User, typed: str) -> None:
        registered(by)

        assert found(typed, by) == (QueryKind.NAME, [])

    def test_is_found_by_the_hashes_of_every_search_key(
        self, by: User, settings: Settings
    ) -> None:
        old = settings.SEARCH_KEYS
        registered(by, "张伟")
        settings.SEARCH_KEYS = ["new", *old]
        registered(by, "张玮")

        for typed, names in (
            ("zhangwei", ["张伟", "张玮"]),
            ("zw", ["张伟", "张玮"]),
            ("伟", ["张伟"]),
        ):
            assert found(typed, by) == (QueryKind.NAME, names)

    def test_comes_in_the_order_of_the_whole_pinyin(self, by: User) -> None:
        for name in ("张子", "赵一", "张安", "章一"):
            registered(by, name)

        assert found("z", by)[1] == ["张安", "章一", "张子", "赵一"]

    def test_may_be_that_of_a_place_without_a_building(self, by: User) -> None:
        household = make_household(building=make_building(by.areas.get(), "东门市场"), door="1")
        make_resident(household=household, by=by, name="张三")

        assert found("东门", by) == (QueryKind.NAME, ["张三"])


class TestANumber:
    def test_is_found_whole_whatever_stands_between_its_digits(self, by: User) -> None:
        registered(by, number=NUMBER)

        assert found("110105 19491231 002x", by) == (QueryKind.NUMBER, ["张伟明"])

    def test_is_found_on_any_kind_of_document(self, by: User) -> None:
        registered(by, number="E12345678", document_type=Resident.DocumentType.PASSPORT)

        assert found("e12345678", by) == (QueryKind.NUMBER, ["张伟明"])
        assert found("E99995678", by) == (QueryKind.NUMBER, [])

    def test_with_a_wrong_digit_is_told_so(self, by: User) -> None:
        with pytest.raises(UnsearchableError, match="校验"):
            found("110105194912310021", by)

    def test_is_found_by_its_last_four_as_pages_show_them(self, by: User) -> None:
        registered(by, number=NUMBER)

        assert found("002x", by) == found("**************002X", by) == (QueryKind.END, ["张伟明"])

    def test_in_part_asks_for_the_whole(self, by: User) -> None:
        with pytest.raises(UnsearchableError, match="后4位"):
            found("1101051949", by)


class TestAPhone:
    def test_is_found_whole_or_by_its_last_four(self, by: User) -> None:
        registered(by, phone="13812345678")

        assert found("138-1234-5678", by) == (QueryKind.PHONE, ["张伟明"])
        assert found("5678", by) == found("138****5678", by) == (QueryKind.END, ["张伟明"])


class TestADoor:
    @pytest.mark.parametrize(
        "typed", ["3-2-501", "3号楼2单元501室", "三栋501", "2-501", "2单元501", "501", "3#"]
    )
    def test_is_found_as_people_write_it(self, by: User, typed: str) -> None:
        registered(by)

        assert found(typed, by) == (QueryKind.ADDRESS, ["张伟明"])

    @pytest.mark.parametrize("typed", ["13-2-501", "3-1-501", "3-2-50", "13号楼"])
    def test_is_not_its_neighbour(self, by: User, typed: str) -> None:
        registered(by)

        assert found(typed, by) == (QueryKind.ADDRESS, [])

    def test_of_four_digits_may_also_end_a_number(self, by: User) -> None:
        registered(by, phone="13812341203")
        door = make_household(grid=by.areas.get(), door="1203")
        make_resident(household=door, by=by, name="李四")

        assert found("1203", by) == (QueryKind.END, ["李四", "张伟明"])


class TestWhatIsFound:
    @pytest.mark.parametrize("typed", ["张伟明", "zwm", "5678", "13812345678", "3-2-501", "501"])
    def test_lies_inside_ones_areas(self, by: User, typed: str) -> None:
        registered(by, phone="13812345678")

        assert not found(typed, make_user(Role.SUPERVISOR, make_community()))[1]

    def test_holds_those_who_have_left_and_no_merged_entries(self, by: User) -> None:
        for name, gone in (("张一", "left"), ("张二", "merged")):
            row = Resident.objects.filter(pk=registered(by, name).pk)
            row.update(gone_as=gone, gone_on=NOW.date())

        assert found("张", by) == (QueryKind.NAME, ["张一"])

    def test_comes_in_pages_without_its_words_in_an_address(self, by: User) -> None:
        home = registered(by).household
        for _ in range(SIZE):
            make_resident(household=home, by=by, name="张三")

        first = people.search(text="张", today=NOW.date(), by=by)
        second = people.search(text="张", today=NOW.date(), by=by, after=str(first.page.next))

        assert first.count == second.count == SIZE + 1
        assert {r.pk for r in first.page.rows}.isdisjoint({r.pk for r in second.page.rows})

    def test_of_too_many_is_not_shown(self, by: User, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(people, "MANY", 1)
        registered(by)
        registered(by, "张三")

        answer = people.search(text="张", today=NOW.date(), by=by)

        assert answer.too_many
        assert not answer.page.rows

    def test_is_written_down_without_what_was_typed(self, by: User) -> None:
        found("张伟明", by)

        assert AuditEntry.objects.get(did="searched").detail == {"kind": "name", "found": 0}


@pytest.mark.parametrize("typed", ["·", "--", "？？", "*"])
def test_what_means_nobody_is_answered_with_what_to_type(by: User, typed: str) -> None:
    with pytest.raises(UnsearchableError, match="3-2-501"):
        found(typed, by)
