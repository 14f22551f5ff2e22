"""A document that is written out hides nothing: whatever is changed in it is seen."""

import pytest

from policy.engine.documents.library import shipped
from policy.engine.documents.schema import Document, Provision
from policy.engine.wording.sentences import lines_of
from policy.engine.wording.written import written
from tests.policy.engine.wording.mutations import changed, swapped

DOCUMENTS = sorted(shipped().documents)


def of(document: str) -> Document:
    return shipped().documents[document]


def lines_in(provision: Provision) -> tuple[list[str], list[str]]:
    lines = lines_of(provision)
    return [line.text.zh for line in lines], [line.text.en for line in lines]


class TestEachShippedDocument:
    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_reads_otherwise_in_both_languages_once_any_value_of_a_provision_is_another(
        self, document: str
    ) -> None:
        for provision in of(document).provisions:
            zh, en = lines_in(provision)
            for other in changed(provision):
                if other.clause == provision.clause:
                    after = lines_in(other)
                    assert after[0] != zh, other
                    assert after[1] != en, other

    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_reads_otherwise_once_anything_in_it_is_another(self, document: str) -> None:
        before = written(of(document)).text
        head = of(document).model_copy(update={"provisions": ()})
        for other in (*changed(head), *list(changed(of(document)))[::17], *swapped(of(document))):
            after = written(other).text
            assert after.zh != before.zh
            assert after.en != before.en

    @pytest.mark.parametrize("document", DOCUMENTS)
    def test_says_every_provision_under_its_clause(self, document: str) -> None:
        clauses = written(of(document)).clauses

        assert [clause.number for clause in clauses] == list(of(document).clauses)
        assert sum(len(clause.provisions) for clause in clauses) == len(of(document).provisions)
        assert sum(len(clause.without) for clause in clauses) == len(of(document).no_provision)


class TestProvisionsOfOneSubject:
    def test_are_numbered_as_they_are_read(self) -> None:
        doors = [p for p in written(of("cangshan-2022-324")).provisions if p.subject == "entry"]

        assert sorted(door.number for door in doors) == [1, 2, 3, 4, 5, 6]
        schools = next(door for door in doors if door.provision.clause == "10")
        assert schools.order is not None
        assert schools.order.zh == "同类6条规定中第1条，先符合的先适用"

    def test_are_not_numbered_where_there_is_one(self) -> None:
        zones = [p for p in written(of("cangshan-2022-324")).provisions if p.subject == "zones"]

        assert [zone.order for zone in zones] == [None]
