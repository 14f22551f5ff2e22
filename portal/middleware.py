"""Middleware of the portal."""

from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware


class RequestLog(RequestMiddleware):
    """Log requests by path without the query, which may hold personal search terms."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        """Return the method and the path alone."""
        return f"{request.method} {request.path}"
