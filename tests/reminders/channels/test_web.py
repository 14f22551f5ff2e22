"""Gateways that are hostile, slow or somewhere else."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from reminders.channels import web
from reminders.channels.errors import NotSentError, PerhapsSentError
from tests import patience

pytestmark = [pytest.mark.pure]
GOOD = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"code": 0}'
Answer = Callable[[socket.socket], None]


class Peer:
    """A server that answers one request as it is told, and knows when the asker has left."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/send"
        self.left = threading.Event()
        self.answer: Answer = lambda asker: asker.sendall(GOOD)
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError), closing(self._listening.accept()[0]) as asker:
            asker.recv(65_536)
            self.answer(asker)
        self.left.set()

    def close(self) -> None:
        self._listening.close()


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with closing(Peer()) as peer:
        yield peer


def without_end(start: bytes, more: bytes) -> Answer:
    """Return an answer that goes on until nobody listens."""

    def answer(asker: socket.socket) -> None:
        asker.sendall(start)
        while True:
            asker.sendall(more)

    return answer


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
TOO_MUCH: dict[str, tuple[bytes, bytes]] = {
    "a body": (HEAD + b"\r\n[", b'"0123456789",' * 1_000),
    "a body in chunks": (CHUNKED, b"400\r\n" + b"x" * 1_024 + b"\r\n"),
    "headers": (HEAD, b"X-More: " + b"x" * 1_000 + b"\r\n"),
    "a line of the head": (b"HTTP/1.1 200 ", b"x" * 1_000),
}


class TestAnAnswer:
    def test_that_is_good_is_returned(self, peer: Peer) -> None:
        assert web.post(peer.url, json={}) == {"code": 0}

    @pytest.mark.parametrize("what", TOO_MUCH)
    def test_without_end_is_not_read_to_its_end(self, peer: Peer, what: str) -> None:
        peer.answer = without_end(*TOO_MUCH[what])

        with pytest.raises(PerhapsSentError):
            web.post(peer.url, json={})
        assert peer.left.wait(patience.SECONDS)

    @pytest.mark.parametrize(
        "body", [b"<html>", b"[" * 60_000, b"\xff\xfe", b"", b'{"code": 1e999999}', b"nul"]
    )
    def test_that_says_nothing_is_none(self, peer: Peer, body: bytes) -> None:
        def answer_whole(asker: socket.socket) -> None:
            asker.sendall(HEAD + b"\r\n" + body)
            asker.shutdown(socket.SHUT_WR)
            while asker.recv(65_536):  # closed unread, the connection would be reset
                pass

        peer.answer = answer_whole

        answer: Any = web.post(peer.url, json={})
        with pytest.raises(NotSentError):
            web.expect(answer, {"code": 0})

    @pytest.mark.parametrize("status", [500, 502, 503, 504, 507, 599])
    def test_of_a_server_in_trouble_may_have_been_sent(self, peer: Peer, status: int) -> None:
        peer.answer = lambda asker: asker.sendall(f"HTTP/1.1 {status} Sorry\r\n\r\n".encode())

        with pytest.raises(PerhapsSentError, match=f"HTTP {status}"):
            web.post(peer.url, json={})

    @pytest.mark.parametrize(
        "to", ["http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "/elsewhere"]
    )
    @pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
    def test_that_leads_elsewhere_is_not_followed(self, peer: Peer, status: int, to: str) -> None:
        head = f"HTTP/1.1 {status} Elsewhere\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
        peer.answer = lambda asker: asker.sendall(head.encode())

        with pytest.raises(NotSentError, match=f"HTTP {status}"):
            web.post(peer.url, json={})

    def test_that_breaks_off_may_have_been_sent(self, peer: Peer) -> None:
        peer.answer = lambda asker: asker.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"
        )

        with pytest.raises(PerhapsSentError):
            web.post(peer.url, json={})


class TestAnAddress:
    @pytest.mark.parametrize(
        "url",
        [
            *("file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "ftp://127.0.0.1/x"),
            *("", "https:", "https:///send", "javascript:1", "//127.0.0.1/x"),
        ],
    )
    def test_that_is_none_of_the_web_is_not_asked(self, url: str) -> None:
        with pytest.raises(NotSentError, match="no web address"):
            web.post(url, json={})

    @pytest.mark.parametrize(
        "host",
        [
            *("169.254.169.254", "169.254.0.1", "[fe80::1]", "[::ffff:169.254.169.254]"),
            *("2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "0", "[::]", "224.0.0.1"),
        ],
    )
    def test_of_the_machine_itself_is_not_asked_however_it_is_written(self, host: str) -> None:
        with pytest.raises(NotSentError, match="address refused"):
            web.post(f"http://{host}/latest/meta-data/", json={})
