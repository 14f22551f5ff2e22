"""What all tests share."""

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.cache import cache
from django.test import TransactionTestCase
from hypothesis import HealthCheck, settings
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, expect
from pytest_django import DjangoDbBlocker
from pytest_django.live_server_helper import LiveServer

from tests import patience

CHROMIUM = Path("/usr/bin/chromium")
NO_CHROMIUM = f"browser tests skipped: {CHROMIUM} is missing (as root, make test installs it)"
CHROMIUM_OPTIONS = [
    *("--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
]
# Where the server is slow, htmx ends a request that a later one replaces, and says so.
REPLACED = ("htmx:sendAbort,", "htmx:afterRequest,")
DATABASE = {"db", "transactional_db", "django_db_setup", "live_server"}

# Playwright keeps an event loop in the main thread, where Django would refuse to wait.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

expect.set_options(timeout=patience.MILLISECONDS)
# A busy machine is no fault of what is tried.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)  # before -m chooses, and after all that sort
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Generator[None]:
    """
    Mark the tests that ask no server, and those that need Chromium.

    These come last, and are skipped where there is none.
    """
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        marked = any(item.get_closest_marker(name) for name in ("django_db", "processes"))
        if not (marked or fixtures & DATABASE):
            item.add_marker(pytest.mark.pure)
        if {"phone", "desktop", "browser"} & fixtures:
            item.add_marker(pytest.mark.browser)
            if not CHROMIUM.exists():
                item.add_marker(pytest.mark.skip(reason=NO_CHROMIUM))
    yield
    # Last: Playwright leaves the main thread in another context, where Django would open a
    # second connection for the tests that follow, and nobody would close it.
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line why browser tests did not run."""
    skipped = terminalreporter.stats.get("skipped", [])
    if any(NO_CHROMIUM in str(report.longrepr) for report in skipped):
        terminalreporter.write_line(NO_CHROMIUM, yellow=True)


@pytest.fixture(scope="session")
def django_db_setup(
    django_test_environment: None, django_db_blocker: DjangoDbBlocker, worker_id: str
) -> Iterator[None]:
    """Give this process a database that knows the provisions, as every start leaves it."""
    from tests import databases

    with pytest.MonkeyPatch.context() as patched, django_db_blocker.unblock():
        patched.setattr(TransactionTestCase, "_fixture_teardown", databases.restore)
        with databases.copied(f"test_wangge_{worker_id}"), django_db_blocker.block():
            yield


@pytest.fixture(autouse=True)
def empty_cache(request: pytest.FixtureRequest) -> Iterator[None]:
    """Leave nothing in the cache, nor beside the database, for the next test."""
    yield
    if not request.node.get_closest_marker("pure"):
        cache.clear()
        django_settings.OUTBOX_NOTE.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """Start Debian's Chromium, once."""
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    chromium = playwright.chromium.launch(
        executable_path=CHROMIUM, args=[*CHROMIUM_OPTIONS, *sandbox]
    )
    yield chromium
    chromium.close()


@contextmanager
def _page(browser: Browser, address: str, **device: Any) -> Iterator[Page]:
    """Open a page that may load nothing from elsewhere and must end without an error."""
    context = browser.new_context(
        base_url=address, locale="zh-CN", timezone_id="Asia/Shanghai", **device
    )
    context.set_default_timeout(patience.MILLISECONDS)
    page = context.new_page()
    troubles: list[str] = []
    page.on("pageerror", lambda error: troubles.append(str(error)))
    page.on("console", lambda said: _complaint(said, troubles))
    page.on("request", lambda asked: _elsewhere(asked.url, address, troubles))
    yield page
    context.close()
    assert not troubles


def _complaint(said: ConsoleMessage, troubles: list[str]) -> None:
    if said.type == "error" and not said.text.startswith(REPLACED):
        troubles.append(said.text)


def _elsewhere(url: str, address: str, troubles: list[str]) -> None:
    if not url.startswith((f"{address}/", "data:", "blob:", "about:", "tel:")):
        troubles.append(f"loaded from elsewhere: {url}")


@pytest.fixture
def phone(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Open a page on a phone, as grid staff do."""
    size = {"width": 390, "height": 844}
    with _page(
        browser,
        live_server.url,
        viewport=size,
        screen=size,
        has_touch=True,
        is_mobile=True,
        device_scale_factor=2,
    ) as page:
        yield page


@pytest.fixture
def desktop(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """Open a page on a desktop, as supervisors do."""
    with _page(browser, live_server.url, viewport={"width": 1366, "height": 900}) as page:
        yield page
