"""Plans in the database: one row for each different answer of the law."""

import json
from collections.abc import Collection

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts import audit
from policy.engine.decide import Decision
from policy.engine.errors import BadQuestionError
from policy.engine.plans import Plan as EnginePlan
from policy.models import Provision
from policy.services import law_of
from quarantine.facts import decide_on, unpack
from quarantine.models import Case, Plan

# What the audit says of a case that does not follow from its facts.
UNEXPLAINED = gettext_noop("unexplained case")

# Plans are immutable and found by their content, so this never goes stale.
_parsed: dict[str, EnginePlan] = {}


def plan_of(row: Plan) -> EnginePlan:
    """Return the engine's plan that a row holds."""
    if row.digest not in _parsed:
        _parsed[row.digest] = EnginePlan.from_json(row.content)
    return _parsed[row.digest]


def store_plan(plan: EnginePlan) -> Plan:
    """Return the row of a plan, made if it is new."""
    return store_plans([plan])[plan.digest]


def store_plans(new: Collection[EnginePlan]) -> dict[str, Plan]:
    """
    Return the rows of many plans by digest, those that are new made. At most four queries.

    Raise Provision.DoesNotExist for a plan whose provision no loaded document holds.
    """
    by_digest = {plan.digest: plan for plan in new}
    rows = _rows(by_digest)
    if missing := [plan for digest, plan in by_digest.items() if digest not in rows]:
        provisions = _provisions({plan.document for plan in missing})
        # Somebody else may store the same plan at this moment: theirs is as good.
        Plan.objects.bulk_create(
            [
                Plan(
                    digest=plan.digest,
                    provision=provision_of(plan, provisions),
                    content=plan.to_json(),
                )
                for plan in missing
            ],
            ignore_conflicts=True,
        )
        rows = _rows(by_digest)
    return rows


def _rows(digests: Collection[str]) -> dict[str, Plan]:
    rows = Plan.objects.select_related("provision").filter(digest__in=list(digests))
    return {row.digest: row for row in rows}


def _provisions(documents: Collection[str]) -> dict[tuple[str, str, str], Provision]:
    rows = Provision.objects.filter(document__in=documents)
    return {(row.document, row.clause, row.subject): row for row in rows}


def provision_of(plan: EnginePlan, provisions: dict[tuple[str, str, str], Provision]) -> Provision:
    """Return the row of the provision that a plan rests on."""
    try:
        return provisions[plan.document, plan.clause, plan.subject]
    except KeyError:
        raise Provision.DoesNotExist(f"{plan.document} {plan.clause} {plan.subject}") from None


def decision_of(case: Case) -> Decision:
    """
    Return the answer of the case's law to the case's facts, with the reasons.

    Its plan is the case's plan: this is what "why this date" shows.
    """
    law = law_of(document=case.law, area=case.grid)
    return decide_on(law, unpack(case.facts, day_1=case.day_1))


@transaction.atomic
def report_unexplained() -> int:
    """Write every unexplained case into the audit, for the auditor, and return how many."""
    found = unexplained_cases()
    for case in found:
        audit.record(by=None, did=UNEXPLAINED, to=case, law=case.law)
    return len(found)


def unexplained_cases() -> list[Case]:
    """
    Return the open cases that do not follow from their stored facts under their law.

    Facts are relative to day 1, so cases with equal facts at one place share one decision. What
    a plan's row says is read anew: whoever can switch the triggers off can also change it.
    """
    sound = {row.pk: row.digest for row in Plan.objects.select_related("provision") if _holds(row)}
    cases = Case.objects.open().select_related("grid").iterator(chunk_size=2000)
    answers: dict[tuple[str, str, str], str] = {}
    return [case for case in cases if _answer(case, answers) != sound.get(case.plan_id)]


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


def _answer(case: Case, answers: dict[tuple[str, str, str], str]) -> str:
    key = (case.law, case.grid.county_code, json.dumps(case.facts, sort_keys=True))
    if key not in answers:
        answers[key] = _digest(case)
    return answers[key]


def _digest(case: Case) -> str:
    try:
        plan = decision_of(case).plan
    except (BadQuestionError, AttributeError, LookupError, TypeError, ValueError):
        # Forged facts or a law that nobody holds: nothing follows from them.
        return ""
    return plan.digest if plan else ""
