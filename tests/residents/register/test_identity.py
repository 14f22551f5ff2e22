from collections.abc import Callable, Iterator
from datetime import date

import pytest
from django.core.exceptions import ValidationError
from django.test import override_settings
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from stdnum.iso7064 import mod_11_2

from residents.register.identity import read_name, read_number, read_phone
from residents.register.models import Resident

TODAY = date(2022, 11, 22)
MAINLAND = Resident.DocumentType.MAINLAND_ID
HMT = Resident.DocumentType.HMT_RESIDENCE
FOREIGN = Resident.DocumentType.FOREIGN_RESIDENCE
PASSPORT = Resident.DocumentType.PASSPORT
NONE = Resident.DocumentType.NONE


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    with translation.override("en"):
        yield


def with_check(digits: str) -> str:
    return digits + mod_11_2.calc_check_digit(digits)


def refusal(read: Callable[..., object], *args: object, **kwargs: object) -> str:
    with pytest.raises(ValidationError) as caught:
        read(*args, **kwargs)
    return caught.value.messages[0]


class TestMainlandNumber:
    def test_says_birth_date_and_sex(self) -> None:
        identity = read_number(MAINLAND, "11010519491231002X", today=TODAY)

        assert identity.number == "11010519491231002X"
        assert identity.birth_date == date(1949, 12, 31)
        assert identity.sex == Resident.Sex.FEMALE

    @pytest.mark.parametrize(
        "typed",
        [
            "11010519491231002x",
            "110105 19491231 002X",
            "110105-19491231-002X",
            "１１０１０５１９４９１２３１００２Ｘ",
            "\u200b11010519491231002X\u3000",
        ],
    )
    def test_is_read_however_it_is_typed(self, typed: str) -> None:
        assert read_number(MAINLAND, typed, today=TODAY).number == "11010519491231002X"

    @pytest.mark.parametrize("area", ["330113", "330114", "370171", "510199", "460400", "331083"])
    def test_is_not_refused_for_its_area(self, area: str) -> None:
        number = with_check(f"{area}19900517001")

        assert read_number(MAINLAND, number, today=TODAY).number == number

    @pytest.mark.parametrize(
        ("number", "says"),
        [
            ("110105194912310021", "check digit"),
            ("11010519490231002X", "19490231 is no date"),
            (with_check("11010520221123001"), "born on 2022-11-23, in the future"),
            ("110105491231002", "15 digits"),
            ("1101051949123100", "here are 16"),
            ("1101051949123100AX", "17 digits"),
            (with_check("81000019900517001"), "residence permit"),
            (with_check("93515619900517001"), "permanent residence card"),
            ("", "Enter the number"),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, number: str, says: str) -> None:
        assert says in refusal(read_number, MAINLAND, number, today=TODAY)

    def test_of_somebody_born_today_is_read(self) -> None:
        number = with_check("11010520221122001")

        assert read_number(MAINLAND, number, today=TODAY).birth_date == TODAY

    @pytest.mark.parametrize(
        ("digits", "exists"), [("20000229", True), ("19000229", False), ("19040229", True)]
    )
    def test_knows_leap_days(self, digits: str, exists: bool) -> None:
        number = with_check(f"110105{digits}001")
        if exists:
            assert read_number(MAINLAND, number, today=TODAY).birth_date
        else:
            assert "no date" in refusal(read_number, MAINLAND, number, today=TODAY)

    @given(place=st.integers(0, 17), digit=st.sampled_from("0123456789X"))
    def test_with_one_wrong_character_never_passes(self, place: int, digit: str) -> None:
        right = "11010519491231002X"
        wrong = right[:place] + digit + right[place + 1 :]
        if wrong == right:
            return
        with pytest.raises(ValidationError):
            read_number(MAINLAND, wrong, today=TODAY)


class TestOtherDocuments:
    @pytest.mark.parametrize("place", ["810000", "820000", "830000"])
    def test_residence_permit_is_read(self, place: str) -> None:
        identity = read_number(HMT, with_check(f"{place}19900517002"), today=TODAY)

        assert (identity.birth_date, identity.sex) == (date(1990, 5, 17), Resident.Sex.FEMALE)

    def test_residence_permit_begins_with_81_to_83(self) -> None:
        assert "begins with 81" in refusal(
            read_number, HMT, with_check("11010519900517001"), today=TODAY
        )

    def test_foreign_card_of_18_digits_is_read(self) -> None:
        identity = read_number(FOREIGN, with_check("93515619900517001"), today=TODAY)

        assert (identity.birth_date, identity.sex) == (date(1990, 5, 17), Resident.Sex.MALE)

    def test_foreign_card_needs_its_check_digit(self) -> None:
        right = with_check("93515619900517001")
        wrong = right[:-1] + ("1" if right[-1] != "1" else "2")

        assert "check digit" in refusal(read_number, FOREIGN, wrong, today=TODAY)

    def test_old_foreign_card_says_no_birth_date(self) -> None:
        identity = read_number(FOREIGN, "can3501 90051701", today=TODAY)

        assert (identity.number, identity.birth_date) == ("CAN350190051701", None)

    def test_passport_is_letters_and_digits(self) -> None:
        assert read_number(PASSPORT, "e1234 5678", today=TODAY).number == "E12345678"
        assert "passport" in refusal(read_number, PASSPORT, "E12/45678", today=TODAY)

    def test_newborn_has_no_number(self) -> None:
        assert read_number(NONE, " ", today=TODAY).number == ""
        assert "choose the document" in refusal(read_number, NONE, "E12345678", today=TODAY)


class TestName:
    @pytest.mark.parametrize(
        "name",
        [
            "张三",
            "𠮷野家",
            "㛃䶮",
            "〇〇",
            "龘𪚥",
            "\U0002ceb1\U00030edd",
            "\U00031350\U000323af",
            "葛\U000e0100飾",
            "阿卜杜拉·买买提",
            "John O'Brien-Smith Jr.",
            "José Nguyễn",
        ],
    )
    def test_of_any_han_script_or_latin_is_kept_as_it_is(self, name: str) -> None:
        assert read_name(name) == name

    @pytest.mark.parametrize("dot", [*"·•．‧・.", " • "])
    def test_has_one_dot_however_it_is_typed(self, dot: str) -> None:
        assert read_name(f"阿卜杜拉{dot}买买提") == "阿卜杜拉·买买提"

    def test_keeps_a_latin_initial(self) -> None:
        assert read_name("J. Smith") == "J. Smith"

    def test_loses_the_space_between_han_characters(self) -> None:
        assert read_name(" 张\u3000三 ") == "张三"

    def test_of_fifty_characters_is_read_and_of_fifty_one_is_not(self) -> None:
        assert len(read_name("买" * 50)) == 50
        assert "here are 121" in refusal(read_name, "买" * 121)

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ("", "Enter the name"),
            ("张", "here are 1"),
            ("张3", "“3” cannot"),
            ("<b>张", "“<” cannot"),
            ("张\ue000", "U+E000"),
            ("-张三", "begins and ends"),
            ("张三·", "begins and ends"),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, typed: str, says: str) -> None:
        assert says in refusal(read_name, typed)


class TestPhone:
    @pytest.mark.parametrize(
        ("typed", "number"),
        [
            ("138 0013 8000", "+8613800138000"),
            ("＋86-138-0013-8000", "+8613800138000"),
            ("0591-87654321", "+8659187654321"),
            ("+852 9123 4567", "+85291234567"),
            ("100 0001 2345", "+8610000012345"),  # invented, for the demo
        ],
    )
    def test_is_kept_in_e164(self, typed: str, number: str) -> None:
        assert read_phone(typed) == number

    @pytest.mark.parametrize(
        ("typed", "says"),
        [
            ("1380013800", "here are 10"),
            ("12000138000", "No such phone number"),
            ("+852 1234 5678", "abroad"),
            ("abc", "no phone number"),
        ],
    )
    def test_is_refused_with_what_is_wrong(self, typed: str, says: str) -> None:
        assert says in refusal(read_phone, typed)

    def test_of_the_demo_is_refused_elsewhere(self) -> None:
        with override_settings(DEMO=False):
            assert "No such phone number" in refusal(read_phone, "100 0001 2345")


class TestTravelPermit:
    @pytest.mark.parametrize(
        ("typed", "number"),
        [
            ("H12345678", "H12345678"),
            ("m1234567801", "M12345678"),  # the last two: how often it was issued
            ("01234567", "01234567"),
            ("0123456789(B)", "0123456789B"),
            ("Ｈ１２３４５６７８", "H12345678"),
        ],
    )
    def test_is_read(self, typed: str, number: str) -> None:
        assert read_number(Resident.DocumentType.HMT_TRAVEL, typed, today=TODAY).number == number

    @pytest.mark.parametrize("typed", ["H1234567", "C12345678", "1234567", "H1234567٨"])
    def test_of_another_form_is_refused(self, typed: str) -> None:
        kind = Resident.DocumentType.HMT_TRAVEL
        assert "travel permit" in refusal(read_number, kind, typed, today=TODAY)


class TestANumberThatNoCardBears:
    @pytest.mark.parametrize("digits", ["70", "99", "16", "20", "38", "47", "66", "85", "01"])
    @pytest.mark.parametrize("kind", [MAINLAND, HMT])
    def test_by_its_first_digits_is_refused(self, digits: str, kind: str) -> None:
        number = with_check(f"{digits}010519900517313")
        assert refusal(read_number, kind, number, today=TODAY)

    @pytest.mark.parametrize("year", ["1899", "1066", "0001"])
    def test_by_its_year_of_birth_is_refused(self, year: str) -> None:
        number = with_check(f"110105{year}0517313")
        assert "no date" in refusal(read_number, MAINLAND, number, today=TODAY)

    @pytest.mark.parametrize("zero", "٠۰०০０𝟎")
    @pytest.mark.parametrize("kind", [MAINLAND, HMT, FOREIGN, PASSPORT])
    def test_by_the_digits_of_another_script_is_the_same_number_or_refused(
        self, zero: str, kind: str
    ) -> None:
        number = {
            MAINLAND: with_check("11010519900517313"),
            HMT: with_check("81010519900517313"),
            FOREIGN: "CHN110105900517",
            PASSPORT: "E12345678",
        }[Resident.DocumentType(kind)]
        typed = "".join(chr(ord(zero) + int(c)) if c.isdigit() else c for c in number)

        try:
            assert read_number(kind, typed, today=TODAY).number == number
        except ValidationError:
            assert zero in "٠۰०০"


class TestExtension:
    @pytest.mark.parametrize(
        "sign",
        [
            " ext 801",
            "转801",
            " 转 801",
            "分机801",
            "-801",
            "*801",
            "#801",
            "x801",
            ",801",
            "(801)",
        ],
    )
    def test_is_refused_not_lost(self, sign: str) -> None:
        assert "extension" in refusal(read_phone, f"0478-8221234{sign}")

    def test_is_none_in_a_number_with_dashes(self) -> None:
        assert read_phone("0478-822-1234") == "+864788221234"
        assert read_phone("(0478)8221234") == "+864788221234"


class TestWhatIsInvisible:
    @pytest.mark.parametrize("around", ["'{}", "\u202d{}\u202c", "\t{}", "\ufeff{}\u200e", "‘{}"])
    def test_does_not_stand_in_a_number_name_or_phone(self, around: str) -> None:
        number = with_check("11010519900517313")

        assert read_number(MAINLAND, around.format(number), today=TODAY).number == number
        assert read_name(around.format("张三")) == "张三"
        assert read_phone(around.format("13800138000")) == "+8613800138000"

    def test_is_named_where_it_is_refused(self) -> None:
        assert "U+2800" in refusal(read_name, "张\u2800三")


class TestNameOfAPassport:
    @pytest.mark.parametrize(
        "name",
        [
            "Raman A/L Maniam",
            "Nur Aisyah @ Siti binti Ali",
            "Silva, Maria João",
            "Anna-Maria Wolfeschlegelsteinhausenbergerdorff of Hubert Blaine",
        ],
    )
    def test_is_a_name(self, name: str) -> None:
        assert read_name(name) == name

    @pytest.mark.parametrize("names", ["张三/李四", "张三,李四", "张三@李四"])
    def test_has_signs_that_part_two_people_in_chinese(self, names: str) -> None:
        assert "cannot stand in a name" in refusal(read_name, names)
