"""Posting to gateways and robots, and reading what they answer."""

from typing import Any

import requests
from urllib3.exceptions import NewConnectionError

from reminders.channels.errors import NotSentError, PerhapsSentError

SECONDS = (5, 10)  # to connect, to answer


def post(url: str, *, method: str = "POST", **content: Any) -> Any:
    """
    Send a request, and return the JSON of the answer, None where it has none.

    An answer of 4xx is a refusal; after anything else that is no answer of success the other
    side may have taken the message.
    """
    try:
        answer = requests.request(method, url, timeout=SECONDS, allow_redirects=False, **content)
    except (requests.ConnectTimeout, requests.exceptions.SSLError, requests.URLRequired) as error:
        raise NotSentError(_kind(error)) from None
    except requests.ConnectionError as error:
        never_met = isinstance(_reason(error), NewConnectionError)
        raise (NotSentError if never_met else PerhapsSentError)(_kind(error)) from None
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


def expect(answer: Any, wanted: dict[str, Any]) -> None:
    """Refuse an answer that says by its content that nothing was taken."""
    for name, value in wanted.items():
        given = answer.get(name) if isinstance(answer, dict) else None
        if given != value:
            raise NotSentError(f"{name}={str(given)[:20]}")


def _kind(error: Exception) -> str:
    # Never the error's own words: they may quote the address, and with it a secret.
    return type(error).__name__


def _reason(error: requests.ConnectionError) -> object:
    return getattr(error.args[0], "reason", None) if error.args else None
