"""What a document does to somebody whom each of its measures reaches, tried on the law itself."""

from collections.abc import Iterator
from dataclasses import dataclass

from policy import words
from policy.engine.comparison.classes import DAY, persons
from policy.engine.decisions.decide import decide
from policy.engine.decisions.facts import Person
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.library import Library
from policy.engine.documents.schema import MEASURE_SUBJECTS, Document, MeasureSubject
from policy.engine.questions.contract import MeasureQuestion
from policy.questions.answers import AnswerLine, headline, lines


@dataclass(frozen=True)
class Try:
    """A clause, somebody invented whom it reaches, and what the law then asks of them."""

    clause: str
    subject: str
    who: str
    headline: str
    lines: list[AnswerLine]


def tries(document: Document, library: Library) -> list[Try]:
    """Return what each measure of a document asks of the first class of people it decides for."""
    law = library.law(document.id)
    return [
        _try(clause, subject, person, document, library)
        for subject in MEASURE_SUBJECTS
        for clause, person in _reached(law, subject)
    ]


def _reached(law: Law, subject: MeasureSubject) -> Iterator[tuple[str, Person]]:
    """Yield one person for each clause of the document itself that decides on a subject."""
    own = law.documents[0]
    left = {
        Citation(own.id, provision.clause)
        for provision in own.provisions
        if provision.subject == subject
    }
    for person in persons([law], subject) if left else ():
        decision = decide(law, person, DAY)
        if decision.subject == subject and decision.measure in left:
            left.discard(decision.measure)
            yield decision.measure.clause, person
        if not left:
            return


def _try(clause: str, subject: str, person: Person, document: Document, library: Library) -> Try:
    question = MeasureQuestion.model_construct(
        ask="measure", policy=document.id, day=DAY, person=person
    )
    answer = question.answer(library)
    return Try(
        clause, subject, words.class_named(person), headline("measure", answer).text, lines(answer)
    )
