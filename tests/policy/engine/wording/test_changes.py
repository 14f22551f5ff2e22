"""A document beside another: what is changed is marked, what is not is left alone."""

from datetime import date

import pytest

from policy.engine.documents.library import shipped
from policy.engine.documents.schema import Document
from policy.engine.wording.changes import Comparison, compared, predecessor, speaking
from policy.engine.wording.written import written
from tests.policy.engine.wording.mutations import changed

DOCUMENTS = shipped().documents


def beside(document: Document, other: Document) -> Comparison:
    return compared(written(document), written(other))


def edition(document: str, **update: object) -> Document:
    return DOCUMENTS[document].model_copy(update={"id": "another-1", **update})


class TestADocumentBesideAnother:
    @pytest.mark.parametrize("document", sorted(DOCUMENTS))
    def test_of_the_same_values_differs_nowhere(self, document: str) -> None:
        same = beside(DOCUMENTS[document], edition(document))

        assert not any(provision.differs for provision in same.provisions)
        assert not same.gone

    @pytest.mark.parametrize("document", sorted(DOCUMENTS))
    def test_differs_once_a_value_of_a_provision_is_another(self, document: str) -> None:
        known = DOCUMENTS[document]
        for number, provision in enumerate(known.provisions):
            others = [other for other in changed(provision) if other.clause == provision.clause]
            for other in others[::7]:
                provisions = (
                    *known.provisions[:number],
                    other,
                    *known.provisions[number + 1 :],
                )
                comparison = beside(known.model_copy(update={"provisions": provisions}), known)

                assert any(line.differs for line in comparison.provisions), other

    def test_marks_the_part_that_is_new_and_says_what_was(self) -> None:
        comparison = beside(DOCUMENTS["cn-2022-113"], DOCUMENTS["cn-2022-101"])
        contacts = next(
            provision
            for provision in comparison.provisions
            if provision.written.subject == "close_contacts"
        )
        stage = next(line for line in contacts.lines if line.label.zh == "第1阶段")

        assert [part.text.zh for part in stage.parts if part.new] == ["居家隔离", "第5天核酸"]
        assert stage.was is not None
        assert stage.was.text.zh == (
            "第1阶段：集中隔离，5天，第1、2、3、5天核酸，不得外出，赋码管理。"
        )
        gone = [line.was for line in contacts.lines if not line.parts]
        assert [was.label.zh for was in gone if was] == ["第2阶段"]

    def test_names_what_the_other_had_and_it_has_not(self) -> None:
        comparison = beside(DOCUMENTS["cn-2022-113"], DOCUMENTS["cn-2022-101"])

        assert "inbound" in {provision.subject for provision in comparison.gone}

    def test_has_a_provision_that_is_all_new_without_a_counterpart(self) -> None:
        comparison = beside(DOCUMENTS["cn-2022-113"], DOCUMENTS["cn-2022-101"])
        infected = [p for p in comparison.provisions if p.written.subject == "infected"]

        assert [provision.other for provision in infected] == [None, None]
        assert all(provision.differs for provision in infected)


class TestTheDocumentBefore:
    def test_is_the_last_of_the_issuer(self) -> None:
        later = edition("cn-2022-113", in_force_from=date(2023, 1, 8), parent=None)

        before = predecessor(later, DOCUMENTS)

        assert before is not None
        assert before.id == "cn-2022-113"

    def test_is_the_last_for_the_area_where_the_issuer_has_none(self) -> None:
        later = edition(
            "yingkou-2022-11",
            in_force_from=date(2022, 12, 20),
            issuer=DOCUMENTS["cn-2022-113"].title,
        )

        before = predecessor(later, DOCUMENTS)

        assert before is not None
        assert before.id == "yingkou-2022-11"

    def test_is_none_of_a_first_one(self) -> None:
        assert predecessor(DOCUMENTS["fujian-2022-12"], DOCUMENTS) is None

    def test_is_none_that_inherits_from_it(self) -> None:
        child = edition("fujian-2022-12", parent="fujian-2022-12")

        assert predecessor(DOCUMENTS["fujian-2022-12"], {**DOCUMENTS, child.id: child}) is None


class TestAForwardingNotice:
    def test_speaks_by_what_it_forwards(self) -> None:
        assert speaking(DOCUMENTS["hequ-2022-58"], DOCUMENTS).id == "shanxi-2022-38"
