"""What those who hold a gathering must do."""

from dataclasses import dataclass

from policy.engine.decisions import reasons
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import Gathering, GatheringDuty, GatheringProvision
from policy.engine.text import Text


@dataclass(frozen=True, slots=True)
class Duties:
    """Duties before and at a gathering; advice is never one."""

    duties: tuple[GatheringDuty, ...]
    proof_hours: int | None
    advised_against: bool
    measure: Citation | None
    because: tuple[Text, ...]


def covers(
    provision: GatheringProvision, kind: Gathering, persons: int, outside_persons: int
) -> bool:
    """Say whether a provision speaks of a gathering; "以上" includes the number."""
    return (
        (not provision.kinds or kind in provision.kinds)
        and persons >= (provision.persons_at_least or 0)
        and outside_persons >= (provision.outside_persons_at_least or 0)
    )


def gathering(law: Law, kind: Gathering, persons: int, outside_persons: int = 0) -> Duties:
    """Return the duties of a gathering; all clauses of the document that match add up."""
    for document in law.documents:
        matching = [
            (Citation(document.id, provision.clause), provision)
            for provision in document.provisions
            if isinstance(provision, GatheringProvision)
            and covers(provision, kind, persons, outside_persons)
        ]
        if matching:
            break
    else:
        nothing = Text("没有条款规定聚集活动。", "No clause speaks of this gathering.")
        return Duties((), None, advised_against=False, measure=None, because=(nothing,))
    provisions = [provision for _, provision in matching]
    hours = [p.proof_hours for p in provisions if p.proof_hours is not None]
    return Duties(
        duties=tuple(sorted({duty for p in provisions for duty in p.duties})),
        proof_hours=min(hours, default=None),
        advised_against=any(p.advised_against for p in provisions),
        measure=next((cited for cited, p in matching if p.binds), matching[0][0]),
        because=tuple(
            sentence for cited, p in matching for sentence in reasons.cited(law, cited, p)
        ),
    )
