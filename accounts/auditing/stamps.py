"""
Time stamps of the audit's heads by an authority (RFC 3161), where one is set.

A stamp proves to anybody that a head was there at its moment, also against whoever holds the
portal's keys and can write to the file of anchors. It stands in that file as a line of its own.
"""

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import requests
import structlog
from cryptography import x509
from django.conf import settings
from rfc3161_client import (
    HashAlgorithm,
    TimestampRequestBuilder,
    VerificationError,
    VerifierBuilder,
    decode_timestamp_response,
)

from accounts.auditing import anchors
from accounts.auditing.anchors import Anchor, Notes

SECONDS = (5, 20)  # timeouts: to connect, to answer
HEADERS = {"Content-Type": "application/timestamp-query"}

log = structlog.get_logger(__name__)


def stamp() -> int | None:
    """
    Have the head of the chain stamped, and return its number; None where there is nothing to do.

    An authority that does not answer, or wrongly, is logged: the next head covers this one.
    """
    head = anchors.current_head()
    if not settings.AUDIT_TSA_URL or head is None or _last_stamped() == head.number:
        return None
    try:
        response = _stamped(head)
    except (requests.RequestException, ValueError, VerificationError) as error:
        log.error("audit_not_stamped", number=head.number, error=type(error).__name__)  # noqa: TRY400
        return None
    anchors.note_stamp(head, response)
    return head.number


def is_about(anchor: Anchor) -> bool:
    """Return whether the stamp of an anchor is of its digest, by the authority that is set."""
    try:
        verify(anchor.stamp, anchor.digest)
    except (ValueError, VerificationError):
        return False
    return True


def verify(response: bytes, digest: str, *, nonce: int | None = None) -> None:
    """Raise VerificationError or ValueError unless the authority stamped this digest."""
    builder = VerifierBuilder(roots=list(_roots(settings.AUDIT_TSA_ROOTS)), nonce=nonce)
    builder.build().verify_message(decode_timestamp_response(response), bytes.fromhex(digest))


def _stamped(head: Anchor) -> bytes:
    """Return the authority's stamp of a head, checked."""
    builder = TimestampRequestBuilder().data(bytes.fromhex(head.digest))
    request = builder.hash_algorithm(HashAlgorithm.SHA256).build()
    answer = requests.post(
        settings.AUDIT_TSA_URL,
        data=request.as_bytes(),
        headers=HEADERS,
        timeout=SECONDS,
        allow_redirects=False,
    )
    answer.raise_for_status()
    verify(answer.content, head.digest, nonce=request.nonce)
    return answer.content


def _last_stamped() -> int | None:
    stamped = [each.number for each in Notes.of(settings.AUDIT_ANCHORS).standing() if each.stamp]
    return stamped[-1] if stamped else None


@lru_cache(maxsize=2)
def _roots(path: Path) -> Sequence[x509.Certificate]:
    return x509.load_pem_x509_certificates(path.read_bytes())
