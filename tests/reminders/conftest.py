from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests import patience
from tests.reminders import servers


@pytest.fixture
def gateway(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[servers.Gateway]:
    """Give the portal an SMS gateway that honours idempotency keys."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("reminders.channels.web.SECONDS", patience.SECONDS)
    with servers.gateway() as gateway:
        settings.SMS_GATEWAY = gateway.settings()
        yield gateway


@pytest.fixture
def mailbox(settings: Settings) -> Iterator[servers.Mailbox]:
    """Give the portal a mail server."""
    with servers.mail_server() as box:
        settings.EMAIL_URL = f"smtp://127.0.0.1:{box.port}"
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", box.port
        yield box
