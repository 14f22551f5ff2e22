"""The gate: a worker's code is answered with one of three words, and nothing else."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.limits.counts import over_rate_limit
from common import clock
from quarantine.workers.may_work import Answer, work_statuses_of
from residents.whitelist.services import worker_by_code

# Everything that one address asks, and what it asks with codes that nobody has.
CHECKS, CHECKS_WITHIN = 240, 60
GUESSES, GUESSES_WITHIN = 20, 600


@require_http_methods(["GET", "POST"])
@login_not_required
@never_cache
@sensitive_post_parameters("code")
def gate(request: HttpRequest) -> HttpResponse:
    """
    Answer a code: may work, may not, see the desk.

    The code comes after the # of the address, which browsers send to nobody, and is posted: it
    stands in no log. A code that is unknown, revoked or mistyped gets the same answer as an
    entry that is over. Nothing about the check is kept: it would be a record of where people go.
    """
    at = clock.now()
    if request.method == "GET":
        return render(request, "quarantine/gate.html", {"at": at})
    if _too_many(request):
        return render(request, "quarantine/gate.html", {"at": at, "too_many": True}, status=429)
    worker = worker_by_code(request.POST.get("code", ""))
    if worker is None:
        over_rate_limit(request, action="gate-guess", most=GUESSES, seconds=GUESSES_WITHIN)
        answer = Answer.DESK
    else:
        answer = work_statuses_of([worker], at=at)[worker.pk].answer
    return render(request, "quarantine/gate.html", {"at": at, "answer": answer})


def _too_many(request: HttpRequest) -> bool:
    if over_rate_limit(request, action="gate", most=CHECKS, seconds=CHECKS_WITHIN):
        return True
    return over_rate_limit(
        request, action="gate-guess", most=GUESSES - 1, seconds=GUESSES_WITHIN, cost=0
    )
