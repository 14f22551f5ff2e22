"""
The cache, on which nothing depends: without Redis, or with a full one, it holds nothing.

What must be counted or remembered stands in the database.
"""

import time
from collections.abc import Callable
from functools import wraps
from typing import Any

import structlog
from django.core.cache.backends.redis import RedisCache
from redis.exceptions import ConnectionError as AwayError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as SilentError

LEFT_ALONE = 5.0  # seconds for which a process does not try a Redis that did not answer

log = structlog.get_logger(__name__)


def _or(otherwise: Callable[..., Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator for a method of a cache that does `otherwise` while Redis fails."""

    def decorate(method: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(method)
        def guarded(self: "Cache", *args: Any, **kwargs: Any) -> Any:
            if time.monotonic() < self.away_until:
                return otherwise(*args, **kwargs)
            try:
                return method(self, *args, **kwargs)
            except RedisError as error:
                if isinstance(error, AwayError | SilentError):
                    self.away_until = time.monotonic() + LEFT_ALONE
                log.warning("cache_away", error=type(error).__name__)
                return otherwise(*args, **kwargs)

        return guarded

    return decorate


def _nothing(*_: Any, **__: Any) -> None:
    return None


def _no(*_: Any, **__: Any) -> bool:
    return False


def _yes(*_: Any, **__: Any) -> bool:
    return True  # an empty cache has no such key


def _default(_key: Any, default: Any = None, version: Any = None) -> Any:
    return default


def _no_key(*_: Any, **__: Any) -> Any:
    raise ValueError("The cache is away.")  # as for a key that is not there


class Cache(RedisCache):
    """Django's cache in Redis, which is empty while Redis is away or refuses."""

    away_until = 0.0

    add = _or(_yes)(RedisCache.add)
    get = _or(_default)(RedisCache.get)
    set = _or(_nothing)(RedisCache.set)
    touch = _or(_no)(RedisCache.touch)
    delete = _or(_no)(RedisCache.delete)
    get_many = _or(lambda *_, **__: {})(RedisCache.get_many)
    has_key = _or(_no)(RedisCache.has_key)
    incr = _or(_no_key)(RedisCache.incr)
    set_many = _or(lambda *_, **__: [])(RedisCache.set_many)
    delete_many = _or(_nothing)(RedisCache.delete_many)
    clear = _or(_no)(RedisCache.clear)
