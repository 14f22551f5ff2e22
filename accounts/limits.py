"""Rate limits by client address, for pages without sign-in."""

import hashlib

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def over_rate_limit(
    request: HttpRequest, *, action: str, most: int, seconds: int, cost: int = 1
) -> bool:
    """
    Add `cost` to the count of the client's address; return whether it exceeds `most`.

    The window begins with the first count; `cost` 0 only checks.
    """
    client = str(get_adapter().get_client_ip(request))
    key = f"limit:{action}:{hashlib.sha256(client.encode()).hexdigest()[:32]}"
    cache.add(key, 0, timeout=seconds)
    try:
        return int(cache.incr(key, cost)) > most
    except ValueError:  # the window ended between the two calls
        return False
