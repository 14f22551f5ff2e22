"""What stands outside the portal: an SMS gateway, robots and a mail server, on loopback."""

import json
import logging
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests import patience

KEY_HEADER = "Idempotency-Key"


@dataclass
class Gateway:
    """Takes each idempotency key once, and answers and delays as it is told."""

    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)
    delivered: Counter[str] = field(default_factory=Counter)
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"code": 0})
    seconds: float = 0.0
    hang_up: bool = False
    refuse: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Return the settings that describe this gateway."""
        return {
            "url": self.url,
            "body": {"to": "{phone}", "text": "{text}"},
            "idempotency_header": KEY_HEADER,
            "expect": {"code": 0},
            **changes,
        }

    def take(self, request: dict[str, Any]) -> int:
        """Deliver a request unless its key was delivered, and return the status to answer."""
        with self.lock:
            self.requests.append(request)
            if self.status != 200 or request["json"].get("to") in self.refuse:
                return self.status if self.status != 200 else 400
            key = request["headers"].get(KEY_HEADER)
            if key is None or not self.delivered[key]:
                self.delivered[key or f"unnamed {len(self.requests)}"] += 1
        return 200


class _Server(ThreadingHTTPServer):
    # Workers are killed in the middle of a request: that is the test, not an error.
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


@contextmanager
def gateway() -> Iterator[Gateway]:
    taken = Gateway()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"] or 0))
            time.sleep(taken.seconds)
            status = taken.take(
                {"path": self.path, "headers": dict(self.headers), "json": json.loads(body)}
            )
            if taken.hang_up:
                self.connection.close()
                return
            answer = json.dumps(taken.answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: Any) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    taken.url = f"http://127.0.0.1:{server.server_port}/send"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass
class Mailbox:
    """A mail server that keeps what it was given, and refuses when told."""

    port: int = 0
    mails: list[Envelope] = field(default_factory=list)
    answer: str = "250 kept"

    async def handle_DATA(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.answer.startswith("250"):
            self.mails.append(envelope)
        return self.answer


@contextmanager
def mail_server() -> Iterator[Mailbox]:
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    box = Mailbox()
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        box.port = free.getsockname()[1]
    controller = Controller(
        box, hostname="127.0.0.1", port=box.port, ready_timeout=patience.SECONDS
    )
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
