"""Freight: entry of trucks. Registration: people who report before they arrive."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from policy.engine.decisions import reasons
from policy.engine.decisions.doors import proof_is_good
from policy.engine.decisions.facts import Proof
from policy.engine.documents.law import Citation, Law, comes_from
from policy.engine.documents.schema import FreightProvision, RegistrationProvision
from policy.engine.text import Text


@dataclass(frozen=True, slots=True)
class Freight:
    """Whether a truck may enter, and how."""

    may_enter: bool
    landing_test: bool
    seal: bool
    measure: Citation | None
    because: tuple[Text, ...]


def freight(
    law: Law, at: datetime, origin: str, reported_days_ahead: int | None, proof: Proof | None
) -> Freight:
    """Return whether a truck and its crew may enter (Bayannur 9); free where nothing is said."""
    cited_rule = next(law.cited(FreightProvision), None)
    if cited_rule is None:
        nothing = Text("没有条款规定货运，可进入。", "No clause speaks of freight; it may enter.")
        return Freight(
            may_enter=True, landing_test=False, seal=False, measure=None, because=(nothing,)
        )
    cited, rule = cited_rule
    because = reasons.cited(law, cited, rule)
    if reported_days_ahead is None or reported_days_ahead < rule.report_days_ahead:
        late = Text(
            f"未提前{rule.report_days_ahead}天报备，不得进入。",
            f"Not reported {rule.report_days_ahead} days ahead: it may not enter.",
        )
        return Freight(
            may_enter=False,
            landing_test=False,
            seal=False,
            measure=cited,
            because=(*because, late),
        )
    area = next(d.area for d in law.documents if d.id == cited.document)
    far = rule.landing_test_from is not None and comes_from(
        rule.landing_test_from, origin, area, law.place
    )
    unproven = not proof_is_good(proof, rule.proof_hours, at)
    return Freight(
        may_enter=True,
        landing_test=far or unproven or rule.landing_test == "always",
        seal=rule.seal,
        measure=cited,
        because=because,
    )


@dataclass(frozen=True, slots=True)
class Registration:
    """The last day of registering, and whether it was done in time."""

    deadline: date | None
    on_time: bool
    measure: Citation | None
    because: tuple[Text, ...]


def registration(law: Law, arrival: date, registered: date) -> Registration:
    """Return the last day of registering before an arrival, that day included."""
    cited_rule = next(
        ((cited, rule) for cited, rule in law.cited(RegistrationProvision) if rule.days_ahead),
        None,
    )
    if cited_rule is None or cited_rule[1].days_ahead is None:
        nothing = Text("没有条款规定报备期限。", "No clause names a term for registering.")
        return Registration(None, on_time=True, measure=None, because=(nothing,))
    cited, rule = cited_rule
    deadline = arrival - timedelta(days=cited_rule[1].days_ahead)
    return Registration(
        deadline,
        on_time=registered <= deadline,
        measure=cited,
        because=reasons.cited(law, cited, rule),
    )
