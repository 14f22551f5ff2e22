"""The nightly proof: every open case follows from its facts and the law, or is written down."""

import json

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts import audit
from policy.engine.plans import Plan as EnginePlan
from policy.models import Activation
from quarantine.following import Ruling, followed_under, ruling
from quarantine.models import Case, Plan

# What the audit says of a case that does not follow from its facts.
UNEXPLAINED = gettext_noop("unexplained case")
# What stands on a case and follows from its facts and the law: digest of the plan, document, days.
Answer = tuple[object, ...]


@transaction.atomic
def report_unexplained() -> int:
    """Write every unexplained case into the audit, for the auditor, and return how many."""
    found = unexplained_cases()
    for case in found:
        audit.record(by=None, did=UNEXPLAINED, to=case, law=case.law)
    return len(found)


def unexplained_cases() -> list[Case]:
    """
    Return the open cases that do not follow from their stored facts under the law they name.

    Facts are relative to day 1, so cases with equal facts at one place share one decision. What
    a plan's row says is read anew: whoever can switch the triggers off can also change it. That
    the activation of a case is the one in force is for the sweep to see to.
    """
    sound = {row.pk: row.digest for row in Plan.objects.select_related("provision") if _holds(row)}
    activations = Activation.objects.prefetch_related("choices")
    rulings = {each.pk: ruling(each) for each in activations}
    cases = Case.objects.open().select_related("grid").iterator(chunk_size=2000)
    answers: dict[tuple[object, ...], Answer | None] = {}
    return [
        case
        for case in cases
        if _answer(case, rulings.get(case.activation_id or 0), answers)
        != (
            sound.get(case.plan_id),
            case.law,
            case.law_from,
            case.freed_on,
            case.transition,
        )
    ]


def _holds(row: Plan) -> bool:
    """Return whether a row's content has its digest and rests on its provision."""
    try:
        plan = EnginePlan.from_json(row.content)
    except (KeyError, TypeError, ValueError):
        return False
    provision = row.provision
    return (
        plan.digest == row.digest
        and (plan.document, plan.clause) == (provision.document, provision.clause)
        and plan.subject == provision.subject
    )


def _answer(
    case: Case, ruling: Ruling | None, answers: dict[tuple[object, ...], Answer | None]
) -> Answer | None:
    place = case.grid.county_code
    facts = json.dumps(case.facts, sort_keys=True)
    # Day 1 matters where another law came in between.
    day_1 = case.day_1 if ruling and ruling.document != case.opened_under else None
    key = (facts, day_1, case.opened_under, place, ruling, case.excepted)
    if key not in answers:
        answers[key] = _followed(case, place, ruling)
    return answers[key]


def _followed(case: Case, place: str, ruling: Ruling | None) -> Answer | None:
    found = followed_under(ruling, case=case, place=place)
    if found is None or found.plan is None:
        return None
    return (found.plan.digest, found.law, found.law_from, found.freed_on, found.transition)
