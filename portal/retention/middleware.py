"""The database's refusal of a change of frozen data, as a page with a sentence."""

from collections.abc import Callable

from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from residents.closings.models import REFUSAL


class FrozenData:
    """Answers 409 where an act would change data of an outbreak that is over."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer the request."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Return the page for a refusal by the trigger `frozen`, None for anything else."""
        if isinstance(error, DatabaseError) and REFUSAL in str(error):
            return render(request, "portal/retention/frozen.html", status=409)
        return None
