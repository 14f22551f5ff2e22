"""
One line an event, with the id of its request or task, and no personal data.

Messages of exceptions may quote what was typed (`Key (phone)=(138…) already exists`), so that
production logs their kind and place only.
"""

import sys
import traceback
from typing import Any

import structlog
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger


def kind_and_place(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Replace an exception by its kind and the lines it came through, without its message."""
    exc_info = event.pop("exc_info", None)
    info: ExcInfo | tuple[None, None, None] | None = None
    if isinstance(exc_info, BaseException):
        info = (type(exc_info), exc_info, exc_info.__traceback__)
    elif isinstance(exc_info, tuple):
        info = exc_info
    elif exc_info:
        info = sys.exc_info()
    if info and info[0]:
        places = traceback.extract_tb(info[2])
        event["error"] = info[0].__qualname__
        event["at"] = " > ".join(f"{place.filename}:{place.lineno}" for place in places)
    event.pop("exception", None)
    return event


def processors(*, production: bool) -> list[Processor]:
    """Return the structlog processors that run before the renderer."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso"),
        *([kind_and_place] if production else []),
    ]


def configure(*, production: bool, level: str) -> dict[str, Any]:
    """Set structlog up, and return the settings of Python's own logging that go with it."""
    before = processors(production=production)
    structlog.configure(
        processors=[*before, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    render: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if production
        # With the values of all variables, one traceback kept a process busy for half a minute.
        else structlog.dev.ConsoleRenderer(
            colors=False, exception_formatter=structlog.dev.plain_traceback
        )
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    render,
                ],
                "foreign_pre_chain": before,
            }
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            # Told already, with more, by the request log and the worker's own.
            "django": {"handlers": [], "propagate": True},
            "django.request": {"level": "CRITICAL"},
            "django.server": {"handlers": [], "propagate": True},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
        },
    }
