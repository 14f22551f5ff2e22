"""HTTP requests to gateways and robots, and their answers."""

from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from reminders.channels.errors import NotSentError, PerhapsSentError

SECONDS = (5, 10)  # timeouts: to connect, to answer


def post(url: str, *, method: str = "POST", **content: Any) -> Any:
    """
    Send a request, and return the JSON of the answer, None if it has none.

    An answer of 4xx is a refusal (NotSentError); after other failures the message may have been
    accepted (PerhapsSentError).
    """
    try:
        answer = requests.request(method, url, timeout=SECONDS, allow_redirects=False, **content)
    except (requests.ConnectTimeout, requests.exceptions.SSLError, requests.URLRequired) as error:
        raise NotSentError(_kind(error)) from None
    except requests.ConnectionError as error:
        not_connected = isinstance(_reason(error), NewConnectionError)
        raise (NotSentError if not_connected else PerhapsSentError)(_kind(error)) from None
    except requests.RequestException as error:
        raise PerhapsSentError(_kind(error)) from None
    if answer.status_code >= 500:
        raise PerhapsSentError(f"HTTP {answer.status_code}")
    if not answer.ok or answer.is_redirect:
        raise NotSentError(f"HTTP {answer.status_code}")
    try:
        return answer.json()
    except requests.JSONDecodeError:
        return None


def expect(answer: Any, expected: dict[str, Any]) -> None:
    """Raise NotSentError unless the answer has the expected values."""
    for name, value in expected.items():
        actual = answer.get(name) if isinstance(answer, dict) else None
        if actual != value:
            raise NotSentError(f"{name}={str(actual)[:20]}")


def _kind(error: Exception) -> str:
    # Never the error's text: it may quote the URL, which contains a secret.
    return type(error).__name__


def _reason(error: requests.ConnectionError) -> object:
    return getattr(error.args[0], "reason", None) if error.args else None
