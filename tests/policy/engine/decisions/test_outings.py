"""Under which terms somebody held at home is let out: the documents say it, no code does."""

import pytest

from policy.engine.calendars.plans import Movement
from policy.engine.decisions.outings import terms
from policy.engine.documents.law import Citation
from policy.engine.documents.library import shipped
from policy.engine.documents.loader import read
from tests.policy.test_drafts import NOTICE

HELD = NOTICE.decode().replace(
    "movement: forbidden}\n",
    "movement: forbidden}\n"
    "    outings: {purposes: [medical, other], vehicles: [own], masks: [surgical, n95]}\n",
)


def asked(
    document: str, clause: str, subject: str, movement: Movement = "forbidden"
) -> tuple[object, ...] | None:
    found = terms(shipped().law(document), Citation(document, clause), subject, movement)
    return None if found is None else (found.cited, found.purposes, found.vehicles, found.masks)


class TestAnOuting:
    @pytest.mark.parametrize(("clause", "subject"), [("2", "high_risk_stay"), ("3", "arrivals")])
    def test_follows_the_clause_that_holds_the_person(self, clause: str, subject: str) -> None:
        assert asked("yingkou-2022-11", clause, subject) == (
            Citation("yingkou-2022-11", clause),
            ("medical", "other"),
            ("escorted", "ambulance"),
            ("n95",),
        )

    def test_is_for_a_doctor_only_where_that_clause_is_silent(self) -> None:
        found = asked("bayannur-2022-71", "1", "high_risk_stay")

        assert found is not None
        assert found[:2] == (Citation("cn-2022-101", "17"), ("medical",))

    def test_is_for_anything_necessary_where_only_the_unnecessary_is_discouraged(self) -> None:
        found = asked("bayannur-2022-71", "6", "closed_loop_posts", "non_essential_no")

        assert found is not None
        assert "other" in str(found[1])
        assert "own" in str(found[2])

    def test_needs_nothing_of_who_is_free(self) -> None:
        assert asked("yingkou-2022-11", "1", "arrivals", "free") is None

    def test_is_for_a_doctor_where_no_text_speaks(self) -> None:
        found = asked("cn-2022-ninth", "1", "close_contacts")

        assert found is not None
        assert found[:2] == (None, ("medical",))

    def test_follows_a_new_document_without_new_code(self) -> None:
        law = shipped().with_document(read(HELD, "notice.yaml")).law("demo-city-2022-1")
        found = terms(law, Citation("demo-city-2022-1", "1"), "arrivals", "forbidden")

        assert found is not None
        assert (found.vehicles, found.masks) == (("own",), ("surgical", "n95"))
