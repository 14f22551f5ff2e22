"""Middleware of the portal."""

from collections.abc import Callable

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponseBase, QueryDict
from django_structlog.middlewares import RequestMiddleware

NUL = "\0"


class RequestLog(RequestMiddleware):
    """Log requests by path without the query, which may hold personal search terms."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return the method and the path alone."""
        return f"{request.method} {request.path}"


class PlainText:
    """
    Keep NUL out of what is asked: PostgreSQL takes it in no text.

    An address with one is answered with 400. From what is posted it is dropped, as the fields of
    forms drop all that is invisible.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer the request."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Refuse or drop NUL, once the address is known and the form was read."""
        if NUL in request.path or _holds_nul(request.GET):
            raise SuspiciousOperation("NUL in the address")
        if _holds_nul(request.POST):
            cleaned = QueryDict(mutable=True)
            for name, values in request.POST.lists():
                cleaned.setlist(name.replace(NUL, ""), [text.replace(NUL, "") for text in values])
            request.POST = cleaned  # type: ignore[assignment]


def _holds_nul(given: QueryDict) -> bool:
    return any(NUL in name or any(NUL in text for text in texts) for name, texts in given.lists())
