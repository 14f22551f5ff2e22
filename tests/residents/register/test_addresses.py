import pytest

from residents.register.addresses import (
    TypedAddress,
    building_key,
    door_key,
    parse_address,
    unit_key,
)


@pytest.mark.parametrize(
    ("typed", "building", "unit", "door"),
    [
        ("3-2-501", "3", "2", "501"),
        ("3 2 501", "3", "2", "501"),
        ("３－２－５０１", "3", "2", "501"),
        ("3号楼2单元501", "3", "2", "501"),
        ("三号楼二单元501室", "3", "2", "501"),
        ("3栋501", "3", "", "501"),
        ("第3幢2-501", "3", "2", "501"),
        ("3#501", "3", "", "501"),
        ("A座1203", "a", "", "1203"),
        ("幸福路12号501", "幸福路12", "", "501"),
        ("阳光花园二十一栋", "阳光花园21", "", ""),
        ("2单元501", "", "2", "501"),
        ("501", "", "", "501"),
        ("12a", "", "", "12a"),
    ],
)
def test_an_address_is_read_as_people_type_it(
    typed: str, building: str, unit: str, door: str
) -> None:
    assert parse_address(typed) == TypedAddress(building, unit, door)


@pytest.mark.parametrize("typed", ["王小楼", "张三", "13800138000", "110105194912310021", ""])
def test_what_is_no_address_is_not_read_as_one(typed: str) -> None:
    assert parse_address(typed) is None


def test_one_building_one_unit_and_one_door_have_one_key() -> None:
    assert {building_key(name) for name in ("3号楼", "三号楼", "3栋", "3 #", "第3幢")} == {"3"}
    assert {unit_key(name) for name in ("2单元", "二单元", "2")} == {"2"}
    assert {door_key(name) for name in ("501", "501室", "５０１")} == {"501"}
