"""Ring for a worker; what is to be done stands in the database, and is found there, too."""

from typing import Any

import structlog
from celery import Task
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

log = structlog.get_logger(__name__)


def ring(task: "Task[Any, Any]", *arguments: str) -> None:
    """Start a task at once if the broker takes it; else the next sweep starts it."""
    try:
        task.apply_async(arguments, retry=False)
    except (OperationalError, RedisError) as error:
        log.warning("broker_away", error=type(error).__name__)
