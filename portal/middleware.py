"""Middleware of the portal."""

from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware


class RequestLog(RequestMiddleware):
    """Log requests by path: what people searched for stands in the query, and is theirs."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return the method and the path alone."""
        return f"{request.method} {request.path}"
