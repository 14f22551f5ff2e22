import pytest

from residents.register.masking import (
    mask_address,
    mask_name,
    mask_number,
    mask_phone,
    surname_of,
)


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("张三", "张*"),
        ("欧阳娜娜", "欧*"),
        ("𠮷野", "𠮷*"),
        ("葛\U000e0100飾", "葛\U000e0100*"),
        ("", ""),
    ],
)
def test_a_name_shows_its_first_character(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("+8613812341234", "138****1234"),
        ("+85291234567", "+852****4567"),
        ("+8610086", "*****"),
        ("1234567", "*******"),
        ("12345678", "****5678"),
        ("123456789", "1****6789"),
        ("", ""),
    ],
)
def test_a_phone_hides_its_middle(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@pytest.mark.parametrize(
    ("number", "masked"),
    [("11010519491231002X", "**************002X"), ("E123", "****"), ("E1234", "*1234"), ("", "")],
)
def test_a_number_shows_its_last_four_characters(number: str, masked: str) -> None:
    assert mask_number(number) == masked


@pytest.mark.parametrize(
    ("address", "masked"),
    [
        ("3号楼-2-502", "3号楼-2-***"),
        ("幸福路12号3栋2单元502室", "幸福路12号3栋2单元***室"),
        ("东头老屋", "东头老屋"),
    ],
)
def test_an_address_hides_its_door(address: str, masked: str) -> None:
    assert mask_address(address) == masked


@pytest.mark.parametrize(
    ("name", "surname"),
    [
        ("张三", "张"),
        ("欧阳娜娜", "欧阳"),
        ("葛\U000e0100飾", "葛\U000e0100"),
        ("Maria Silva", "Maria"),
    ],
)
def test_a_surname_is_of_one_character_two_or_a_word(name: str, surname: str) -> None:
    assert surname_of(name) == surname
