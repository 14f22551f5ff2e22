"""Plans in the database: one row for each different answer of the law."""

from collections.abc import Collection

from policy.engine.calendars.plans import Plan as EnginePlan
from policy.models import Provision
from quarantine.models import Plan

# Plans are immutable and found by their content, so this never goes stale.
_parsed: dict[str, EnginePlan] = {}


def plan_of(row: Plan) -> EnginePlan:
    """Return the engine's plan that a row holds."""
    if row.digest not in _parsed:
        _parsed[row.digest] = EnginePlan.from_json(row.content)
    return _parsed[row.digest]


def cached_plan(digest: str) -> EnginePlan:
    """Return a plan from the cache of this process. Raise KeyError for another."""
    return _parsed[digest]


def all_plans() -> dict[int, EnginePlan]:
    """Return every plan by its key: some hundred, however many cases. One query."""
    return {pk: plan_of(row) for pk, row in Plan.objects.in_bulk().items()}


def plans_of(digests: Collection[str]) -> dict[str, EnginePlan]:
    """Return plans by their digests; a query for those that are not cached."""
    if new := [digest for digest in digests if digest not in _parsed]:
        for row in Plan.objects.filter(digest__in=new):
            plan_of(row)
    return {digest: _parsed[digest] for digest in digests}


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
