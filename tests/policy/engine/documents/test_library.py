"""The library: which document speaks where and when."""

from datetime import date, timedelta

import pytest

from policy.engine.documents.library import Library, shipped
from policy.engine.documents.schema import MEASURE_SUBJECTS
from policy.engine.errors import BadQuestionError, LawError

FIRST = date(2022, 6, 28)


class TestTheDocumentInForce:
    @pytest.mark.parametrize(
        ("area", "day", "document"),
        [
            ("350104", date(2022, 12, 13), "fujian-2022-12"),
            ("350104", date(2022, 12, 14), "cangshan-2022-324"),
            ("350203", date(2022, 12, 20), "fujian-2022-12"),
            ("350203", date(2022, 12, 7), "cn-2022-113"),
            ("210804", date(2022, 11, 13), "cn-2022-101"),
            ("210804", date(2022, 11, 14), "yingkou-2022-11"),
            ("210804", date(2022, 12, 6), "yingkou-2022-11"),
            ("210804", date(2022, 12, 7), "cn-2022-113"),
            ("150802", date(2022, 11, 14), "bayannur-2022-71"),
            ("140930", date(2022, 12, 8), "shanxi-2022-38"),
            ("140930", date(2022, 12, 9), "xinzhou-2022-122"),
            ("140930", date(2022, 12, 12), "hequ-2022-58"),
            ("110105", date(2022, 11, 10), "cn-2022-ninth"),
            ("110105", date(2022, 11, 11), "cn-2022-101"),
        ],
    )
    def test_is_the_most_local_one(self, area: str, day: date, document: str) -> None:
        assert shipped().in_force(area, day) == document

    def test_has_no_hole_from_the_first_document_on(self) -> None:
        for area in ("110000", "140930", "150802", "210804", "350104"):
            for number in range(400):
                law = shipped().law(shipped().in_force(area, FIRST + timedelta(days=number)))
                assert law.documents

    def test_is_refused_before_the_first_document(self) -> None:
        with pytest.raises(BadQuestionError) as refused:
            shipped().in_force("110000", FIRST - timedelta(days=1))

        assert refused.value.key == "day"


class TestALaw:
    def test_inherits_through_its_parents(self) -> None:
        chain = [document.id for document in shipped().law("cangshan-2022-324").documents]

        assert chain == [
            "cangshan-2022-324",
            "fujian-2022-12",
            "cn-2022-113",
            "cn-2022-101",
            "cn-2022-ninth",
        ]

    def test_gives_way_to_what_it_forwards(self) -> None:
        hequ, shanxi = shipped().law("hequ-2022-58"), shipped().law("shanxi-2022-38")

        assert hequ.documents == shanxi.documents

    def test_that_is_not_known_is_refused(self) -> None:
        with pytest.raises(BadQuestionError) as refused:
            shipped().law("cn-2022-999")

        assert refused.value.key == "policy"

    def test_leaves_only_infected_and_local_subjects_open_nationally(self) -> None:
        rows = shipped().law("cn-2022-101").rows
        silent = {subject for subject in MEASURE_SUBJECTS if not rows[subject]}

        assert silent == {"infected", "freight", "listed_areas", "low_risk_stay"}


class TestAnUploadedDocument:
    def test_joins_the_shipped_ones(self) -> None:
        document = shipped().documents["cangshan-2022-324"]
        local = document.model_copy(
            update={"id": "cangshan-2023-1", "in_force_from": date(2023, 1, 1)}
        )
        library = shipped().with_document(local)

        assert library.in_force("350104", date(2022, 12, 31)) == "cangshan-2022-324"
        assert library.in_force("350104", date(2023, 1, 1)) == "cangshan-2023-1"
        assert "cangshan-2023-1" not in shipped().documents

    def test_is_refused_when_its_id_is_taken_or_its_parent_unknown(self) -> None:
        document = shipped().documents["cangshan-2022-324"]

        with pytest.raises(LawError, match="is taken"):
            shipped().with_document(document)
        with pytest.raises(LawError, match="'nobody' is not known"):
            shipped().with_document(document.model_copy(update={"id": "x", "parent": "nobody"}))

    def test_is_refused_when_it_is_its_own_ancestor(self) -> None:
        one = shipped().documents["cangshan-2022-324"]
        first = one.model_copy(update={"id": "one", "parent": "two"})
        second = one.model_copy(update={"id": "two", "parent": "one"})

        with pytest.raises(LawError, match="not known"):
            Library({}).with_document(first)
        with pytest.raises(LawError, match="its own ancestor"):
            Library({"one": first}).with_document(second)
