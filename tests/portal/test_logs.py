"""Logs tell what happened, and to nobody whom."""

import json
import logging
import logging.config
from collections.abc import Iterator

import pytest
import structlog
from django.test import RequestFactory

from portal import logs
from portal.middleware import RequestLog


@pytest.fixture
def production_line() -> Iterator[logging.Formatter]:
    """Give the formatter of production; leave structlog as it was."""
    before = structlog.get_config()
    line = logs.configure(production=True, level="INFO")["formatters"]["line"]
    yield structlog.stdlib.ProcessorFormatter(
        processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]
    )
    structlog.configure(**before)


class TestProductionLog:
    def test_names_an_error_and_its_place_without_its_message(
        self, production_line: logging.Formatter
    ) -> None:
        with pytest.raises(ValueError, match="already exists") as failure:
            int("Key (phone)=(10012345678) already exists")
        info = (failure.type, failure.value, failure.tb)
        record = logging.LogRecord(
            "residents", logging.ERROR, __file__, 1, "Saving %s failed", ("resident 7",), info
        )
        line = production_line.format(record)
        assert "10012345678" not in line
        told = json.loads(line)
        assert told["event"] == "Saving resident 7 failed"
        assert told["error"] == "ValueError"
        assert "test_logs.py" in told["at"]


class TestRequestLog:
    def test_leaves_out_what_was_searched_for(self, rf: RequestFactory) -> None:
        request = rf.get("/residents/", {"q": "张三"})
        assert RequestLog.format_request(request) == "GET /residents/"


class TestTheLogOfTryingOut:
    def test_shows_where_an_error_came_through_without_the_values_there(self) -> None:
        before = structlog.get_config()
        line = logs.configure(production=False, level="INFO")["formatters"]["line"]
        formatter = structlog.stdlib.ProcessorFormatter(
            processors=line["processors"], foreign_pre_chain=line["foreign_pre_chain"]
        )
        structlog.configure(**before)
        typed = "10012345678"
        with pytest.raises(ValueError, match="invalid") as failure:
            int(f"x{typed[:0]}")
        info = (failure.type, failure.value, failure.tb)

        told = formatter.format(
            logging.LogRecord("residents", logging.ERROR, __file__, 1, "Failed", (), info)
        )
        assert "ValueError" in told
        assert typed not in told
