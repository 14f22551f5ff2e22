"""
HTTP requests to gateways and robots, and their answers.

Addresses come from the settings, and answers from outside: neither may lead the portal elsewhere,
keep a worker busy for ever, or fill its memory. Who drips an answer is cut off by the time limit
of the task (`reminders.tasks.deliver`).
"""

import json
import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import NewConnectionError

from reminders.channels.errors import NotSentError, PerhapsSentError

SECONDS = (5, 10)  # timeouts: to connect, to answer
LONGEST_ANSWER = 64 << 10  # bytes; a good one has some hundred


def post(url: str, *, method: str = "POST", **content: Any) -> Any:
    """
    Send a request, and return the JSON of the answer, None if it has none.

    An answer of 4xx is a refusal (NotSentError); after other failures the message may have been
    accepted (PerhapsSentError). Redirects are refused, and so is an address that no gateway has.
    """
    _refuse_strange(url)
    try:
        with requests.request(
            method, url, timeout=SECONDS, allow_redirects=False, stream=True, **content
        ) as answer:
            body = _read(answer)
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
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def _read(answer: requests.Response) -> bytes:
    """Return the body, as far as a good answer goes."""
    body = b""
    for part in answer.iter_content(4_096):
        body += part
        if len(body) > LONGEST_ANSWER:
            raise PerhapsSentError("long answer")
    return body


def _refuse_strange(url: str) -> None:
    """
    Refuse what is no web address, or leads to a machine's own network interface.

    Link-local addresses (169.254.0.0/16, fe80::/10) are where clouds tell a machine its secrets.
    Raises NotSentError.
    """
    address = urlsplit(url)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise NotSentError("no web address")
    try:
        found = socket.getaddrinfo(address.hostname, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return  # perhaps a proxy knows it; else connecting fails
    hosts = [ip_address(str(each[4][0]).partition("%")[0]) for each in found]
    for host in hosts:
        host = getattr(host, "ipv4_mapped", None) or host
        if host.is_link_local or host.is_multicast or host.is_unspecified:
            raise NotSentError("address refused")


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
