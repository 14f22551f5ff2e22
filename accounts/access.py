"""Access to pages by role; whose rows somebody sees there is said by `scope`."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, cast

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponseBase

from accounts.staff.models import Role, User

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponseBase]


def role_required(*roles: Role) -> Callable[[View[P]], View[P]]:
    """Return a decorator that lets only `roles` in; others get 403."""

    def decorate(view: View[P]) -> View[P]:
        @wraps(view)
        def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            if member(request).role not in roles:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return cast(View[P], guarded)

    return decorate


def top_required(view: View[P]) -> View[P]:
    """Return the view for administrators of the whole only, whose is what has no area."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
        if not member(request).is_top:
            raise PermissionDenied
        return view(request, *args, **kwargs)

    return cast(View[P], guarded)


def member(request: HttpRequest) -> User:
    """Return the signed-in user of a request to a page that requires sign-in."""
    return cast(User, request.user)
