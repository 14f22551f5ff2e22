"""Where somebody came from."""

import pytest

from common import places
from common.places import UnknownPlaceError, read_place


class TestReadPlace:
    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("兰州", "620100"),
            ("兰州市", "620100"),
            ("甘肃 兰州", "620100"),
            ("甘肃省兰州市", "620100"),
            (" LanZhou ", "620100"),
            ("620100", "620100"),
            ("上海", "310000"),
            ("新疆", "650000"),
            ("byne", "150800"),
            ("台湾", "710000"),
            ("taiwan", "710000"),
            ("香港", "810000"),
            ("xianggang", "810000"),
            ("澳门特别行政区", "820000"),
            ("aomen", "820000"),
            ("济源", "419001"),
            ("北京 朝阳", "110105"),
        ],
    )
    def test_reads_names_pinyin_initials_and_codes(self, text: str, code: str) -> None:
        assert read_place(text).code == code

    def test_leaves_a_name_of_several_areas_to_a_human(self) -> None:
        with pytest.raises(UnknownPlaceError) as refused:
            read_place("朝阳")
        codes = {place.code for place in refused.value.places}
        assert {"211300", "110105", "220104"} <= codes

    def test_refuses_what_is_no_area(self) -> None:
        with pytest.raises(UnknownPlaceError) as refused:
            read_place("亚特兰蒂斯")
        assert refused.value.places == []


class TestSearch:
    def test_offers_at_most_twelve_the_capital_first(self) -> None:
        found = places.search("lz")
        assert len(found) <= places.SHOWN
        assert found[0].code == "620100"

    def test_offers_nothing_for_nothing(self) -> None:
        assert places.search("  ") == []


class TestWithin:
    def test_are_the_cities_of_a_province_and_the_counties_of_a_city(self) -> None:
        cities = {place.name for place in places.within("620000")}
        counties = {place.name for place in places.within("620100")}

        assert {"兰州市", "天水市"} <= cities
        assert "城关区" not in cities
        assert "城关区" in counties

    def test_are_the_districts_of_a_city_that_is_a_province(self) -> None:
        assert "朝阳区" in {place.name for place in places.within("110000")}


class TestNameOf:
    def test_falls_back_to_what_the_area_lies_in(self) -> None:
        assert places.name_of("620199") == "甘肃省兰州市"
        assert places.name_of("999999") == "999999"
