"""Each measure of a document is tried on somebody whom it reaches."""

import pytest

from policy.engine.documents.library import shipped
from policy.engine.documents.schema import MeasureProvision
from policy.questions.tries import tries

pytestmark = pytest.mark.django_db


class TestEachDocument:
    @pytest.mark.parametrize("document", sorted(shipped().documents))
    def test_is_tried_clause_by_clause(self, document: str) -> None:
        known = shipped().documents[document]

        tried = {(one.clause, one.subject) for one in tries(known, shipped())}

        own = shipped().law(document).documents[0]
        binding = {
            (provision.clause, provision.subject)
            for provision in own.provisions
            if isinstance(provision, MeasureProvision) and provision.stages
        }
        assert binding <= tried

    def test_says_what_becomes_of_somebody(self) -> None:
        contact = next(
            one
            for one in tries(shipped().documents["cangshan-2022-324"], shipped())
            if one.subject == "close_contacts"
        )

        assert contact.clause == "2"
        assert contact.who == "接触史：密接"
        assert contact.headline == "居家隔离5天"
        assert ("核酸日期", "2022-12-05") in [tuple(line) for line in contact.lines]
