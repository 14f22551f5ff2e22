"""Counting what one address asks, where nobody is signed in."""

import hashlib

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.http import HttpRequest


def used_up(request: HttpRequest, *, action: str, most: int, seconds: int, cost: int = 1) -> bool:
    """
    Count `cost` for the client's address, and return whether it has used up its share.

    The window begins with the first count; `cost` 0 only looks.
    """
    client = str(get_adapter().get_client_ip(request))
    key = f"limit:{action}:{hashlib.sha256(client.encode()).hexdigest()[:32]}"
    cache.add(key, 0, timeout=seconds)
    try:
        return int(cache.incr(key, cost)) > most
    except ValueError:  # it ended between the two
        return False
