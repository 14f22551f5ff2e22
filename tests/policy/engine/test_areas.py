"""Areas by their codes."""

import pytest

from policy.engine import areas


class TestAPlaceLiesIn:
    @pytest.mark.parametrize("area", ["000000", "150000", "150800", "150802"])
    def test_every_area_above_it(self, area: str) -> None:
        assert areas.lies_in("150802", area)

    @pytest.mark.parametrize("area", ["150100", "210000", "150803"])
    def test_no_area_beside_it(self, area: str) -> None:
        assert not areas.lies_in("150802", area)


class TestACode:
    @pytest.mark.parametrize("code", ["65000", "6500000", "ABCDEF", "990000", "１５０８００", ""])
    def test_is_refused_when_it_is_none(self, code: str) -> None:
        assert not areas.is_code(code)

    def test_may_name_a_county(self) -> None:
        assert areas.is_code("140930")

    def test_shares_its_province_by_two_digits(self) -> None:
        assert areas.same_province("210100", "210800")
        assert not areas.same_province("110000", "210800")
