"""Time stamps of the audit by an authority: a real one, `openssl ts`, behind a small server."""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.auditing import anchors, audit, chain, stamps
from accounts.auditing.models import AuditLink
from accounts.tasks import stamp_audit
from tests import tampering

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not shutil.which("openssl"), reason="openssl is missing"),
]
CONFIG = """
[tsa]
dir = {dir}
serial = {dir}/serial
crypto_device = builtin
signer_cert = {dir}/tsa.pem
signer_key = {dir}/tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
[stamping]
basicConstraints = CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = critical,timeStamping
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
subjectKeyIdentifier = hash
"""


class Authority:
    """A time-stamp authority in a folder, with a root of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hang_up = False
        self.url = ""
        folder.mkdir()
        (folder / "serial").write_text("01\n")
        (folder / "openssl.cnf").write_text(CONFIG.format(dir=folder))
        key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        self._openssl(
            *("req", "-x509", *key, "-keyout", "root.key", "-out", "root.pem", "-days", "2"),
            *("-subj", "/CN=A root", "-config", "openssl.cnf", "-extensions", "root"),
        )
        self._openssl(
            *("req", *key, "-keyout", "tsa.key", "-out", "tsa.csr", "-subj", "/CN=An authority"),
            *("-config", "openssl.cnf"),
        )
        self._openssl(
            *("x509", "-req", "-in", "tsa.csr", "-CA", "root.pem", "-CAkey", "root.key"),
            *("-CAcreateserial", "-out", "tsa.pem", "-days", "2"),
            *("-extfile", "openssl.cnf", "-extensions", "stamping"),
        )

    def answer(self, query: bytes) -> bytes:
        (self.folder / "query").write_bytes(query)
        self._openssl(
            *("ts", "-reply", "-config", "openssl.cnf", "-section", "tsa"),
            *("-queryfile", "query", "-out", "answer"),
        )
        return (self.folder / "answer").read_bytes()

    def _openssl(self, *arguments: str) -> None:
        subprocess.run(["openssl", *arguments], cwd=self.folder, check=True, capture_output=True)


@pytest.fixture
def authority(tmp_path: Path, settings: Settings) -> Iterator[Authority]:
    one = Authority(tmp_path / "tsa")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            if one.hang_up:
                return
            self.send_response(200)
            self.end_headers()
            self.wfile.write(one.answer(query))

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        settings.AUDIT_TSA_URL = f"http://127.0.0.1:{server.server_port}/"
        settings.AUDIT_TSA_ROOTS = one.folder / "root.pem"
        yield one
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def notes(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    path = settings.AUDIT_ANCHORS = tmp_path / "anchors.txt"
    return path


def read_something() -> None:
    audit.record(by=None, did="read", to="resident:1")


class TestAStamp:
    def test_is_asked_for_each_new_head_and_kept_with_it(
        self, authority: Authority, notes: Path
    ) -> None:
        read_something()
        head = anchors.current_head()
        assert head

        assert stamp_audit() == head.number
        assert stamp_audit() is None
        (kept,) = [each for each in anchors.Notes.of(notes) if each.stamp]
        assert (kept.number, kept.digest) == (head.number, head.digest)
        report = chain.verify(noted=[notes])
        assert (report.findings, report.stamps) == ([], 1)

    def test_shows_a_head_that_somebody_put_in_its_place(
        self, authority: Authority, notes: Path
    ) -> None:
        """All was written anew, the file of anchors too, by somebody who holds every key."""
        read_something()
        stamp_audit()
        with transaction.atomic(), tampering.no_triggers() as cursor:
            link = AuditLink.objects.get()
            digest = chain._digest(b"", (1, "I", link.table, link.row, link.content, 7, None))
            cursor.execute("UPDATE accounts_auditlink SET tx = 7, digest = %s", [digest])
        before, after = bytes(link.digest).hex(), digest.hex()
        notes.write_text(notes.read_text().replace(before, after))

        assert [one.what for one in chain.verify(noted=[notes]).findings] == ["stamp"]

    def test_of_another_authority_is_none(
        self, authority: Authority, notes: Path, settings: Settings, tmp_path: Path
    ) -> None:
        settings.AUDIT_TSA_ROOTS = Authority(tmp_path / "other").folder / "root.pem"
        read_something()

        assert stamp_audit() is None
        assert not any(each.stamp for each in anchors.Notes.of(notes))

    def test_is_not_waited_for(self, authority: Authority, notes: Path) -> None:
        read_something()
        authority.hang_up = True
        assert stamp_audit() is None

        authority.hang_up = False
        assert stamp_audit() == 1

    def test_is_not_asked_where_no_authority_is_set(self) -> None:
        read_something()

        assert stamps.stamp() is None
