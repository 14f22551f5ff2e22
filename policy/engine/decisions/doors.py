"""Entry to a venue: whether a visitor may come in, and what is checked."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from policy.engine.decisions import reasons
from policy.engine.decisions.facts import Proof, ShownProof
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import Check, EntryProvision, Role, Venue
from policy.engine.questions.reading import ONLY_KNOWN_KEYS, Flag
from policy.engine.text import Text

HealthCode = Literal["green", "yellow", "red"]

CHECK_ORDER: tuple[Check, ...] = (
    "temperature",
    "scan",
    "travel_code",
    "health_code",
    "proof",
    "appointment",
)
_REFUSALS: dict[Check, Text] = {
    "temperature": Text("体温异常。", "The temperature is not in order."),
    "scan": Text("未扫场所码。", "The place code was not scanned."),
    "travel_code": Text("行程码未通过。", "The travel code is not in order."),
    "health_code": Text("没有绿码。", "There is no green health code."),
    "proof": Text("没有有效的核酸阴性证明。", "There is no valid negative proof."),
}


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor at a door, and what they show."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    proof: ShownProof | None = None
    health_code: HealthCode | None = "green"
    travel_code_ok: Flag = True
    scanned: Flag = True
    temperature_ok: Flag = True
    role: Role = "visitor"


@dataclass(frozen=True, slots=True)
class Admission:
    """
    Whether the visitor may come in, and the checks that failed.

    `local_decision` where the text leaves it to the place.
    """

    allowed: bool
    local_decision: bool
    checks: tuple[Check, ...]
    proof_hours: int | None
    measure: Citation | None
    because: tuple[Text, ...]
    failed: tuple[Check, ...] = ()


def proof_is_good(proof: Proof | None, hours: int, at: datetime) -> bool:
    """
    Say whether a proof is good at a moment.

    Its age counts from sampling, from the report only where no sampling time is shown; exactly
    `hours` passes (readings.md, Proofs and hours).
    """
    if proof is None or (sampled := proof.counts_from) is None:
        return False
    return timedelta() <= at - sampled <= timedelta(hours=hours)


def may_enter(
    law: Law, venue: Venue, visitor: Visitor, at: datetime, *, local_outbreak: bool = False
) -> Admission:
    """Return whether a visitor may come in; patients are never turned away."""
    cited_provision = governing(law, venue, visitor.role, "care") or governing(
        law, venue, visitor.role, "entry"
    )
    if cited_provision is None:
        nothing = (
            Text(
                "此类场所没有条款规定，可进入。", "No clause names this kind of place; it is open."
            ),
        )
        return Admission(
            allowed=True,
            local_decision=False,
            checks=(),
            proof_hours=None,
            measure=None,
            because=nothing,
        )
    cited, provision = cited_provision
    hours = provision.proof_hours
    if local_outbreak and provision.proof_hours_in_outbreak is not None:
        hours = provision.proof_hours_in_outbreak
    failed = [
        check
        for check in CHECK_ORDER
        if check in provision.checks and not _passes(check, visitor, hours, at)
    ]
    return Admission(
        allowed=not failed,
        local_decision=provision.local_decision,
        checks=tuple(check for check in CHECK_ORDER if check in provision.checks),
        proof_hours=hours,
        measure=cited,
        because=(
            *reasons.cited(law, cited, provision),
            *(_REFUSALS[check] for check in failed),
        ),
        failed=tuple(failed),
    )


def governing(
    law: Law, venue: Venue, role: Role, subject: str
) -> tuple[Citation, EntryProvision] | None:
    """Return the provision of a subject that speaks of a venue and of who comes."""
    for cited, provision in law.cited(EntryProvision):
        if provision.subject == subject and covers(provision, venue, role):
            return cited, provision
    return None


def covers(provision: EntryProvision, venue: Venue, role: Role) -> bool:
    """Say whether a provision speaks of a venue and of who comes."""
    return (
        (not provision.venues or venue in provision.venues)
        and venue not in provision.except_venues
        and (not provision.roles or role in provision.roles)
    )


def _passes(check: Check, visitor: Visitor, hours: int | None, at: datetime) -> bool:
    if check == "proof":
        return hours is not None and proof_is_good(visitor.proof, hours, at)
    return {
        "temperature": visitor.temperature_ok,
        "scan": visitor.scanned,
        "travel_code": visitor.travel_code_ok,
        "health_code": visitor.health_code == "green",
        # An appointment is made beforehand; nothing is shown at the door.
        "appointment": True,
    }[check]
