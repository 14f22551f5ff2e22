"""
The certificate of a purge, which anybody can check: against itself, the audit, and the counts.

It is JSON: a body, the SHA-256 of the body as `jq -cSj .body` writes it, and the portal's
signature. The audit holds the digest, so the chain covers it. It names tables and numbers, areas
and the two people by pseudonym, role and employer, and nobody else.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef, Q
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing.anchors import current_head
from accounts.auditing.audit import is_genuine
from accounts.auditing.models import AuditEntry, AuditLink
from accounts.keys import keyring
from accounts.keys.models import DataKey
from accounts.staff.models import User
from common.encryption import is_signed, sign
from portal.retention.inventory import FROZEN_TABLES, HOLDINGS
from portal.retention.models import Purge
from residents.closings.models import Closing, Frozen
from residents.register.models import Resident
from residents.relocation.models import Move

FORMAT = 1
CONTEXT = "certificate of a purge"
CERTIFIED = gettext_noop("certified a purge")


def body(purge: Purge, *, kept: Mapping[str, int]) -> dict[str, Any]:
    """Return what a certificate says; `kept` are the rows that stay, by table."""
    closing, before = purge.closing, purge.before or {}
    frozen = Frozen.objects.filter(closing=closing)
    return {
        "format": FORMAT,
        "purge": str(purge.key),
        "closing": str(closing.key),
        "area": {"code": closing.area.code, "name": closing.area.name},
        "closed_at": _moment(closing.closed_at),
        "people": closing.people,
        "people_kept": frozen.filter(held=True).count(),
        "people_who_go_on": frozen.filter(held=False).count(),
        "term": {"days": closing.days, "said_by": closing.said_by},
        "purge_from": closing.purge_from.isoformat(),
        "asked": _voice(purge.asked_by, purge.asker_employer, purge.asked_at),
        "agreed": _voice(purge.approved_by, purge.approver_employer, purge.approved_at),
        "finished_at": _moment(purge.finished_at),
        "tables": [
            {
                "table": table,
                "frozen": closing.counts.get(table),
                "before": number,
                "removed": purge.removed.get(table, 0),
                "kept": kept.get(table, 0),
            }
            for table, number in before.items()
        ],
        "keys": sorted(_keys_in_use()),
        "audit": {"before": purge.head, "after": head_of_audit()},
    }


def head_of_audit() -> str:
    """Return the number and digest of the last link of the audit."""
    head = current_head()
    return f"{head.number} {head.digest}" if head else ""


def _moment(at: datetime | None) -> str:
    return localtime(at).isoformat(timespec="seconds") if at else ""


def _voice(user: User | None, employer: str, at: datetime | None) -> dict[str, str]:
    return {
        "pseudonym": str(user.key) if user else "",
        "role": user.role if user else "",
        "employer": employer,
        "at": _moment(at),
    }


def signed(content: dict[str, Any]) -> dict[str, Any]:
    """Return a body with its digest and the portal's signature."""
    written = canonical(content)
    return {
        "body": content,
        "sha256": hashlib.sha256(written).hexdigest(),
        "proof": sign(written, context=CONTEXT).hex(),
    }


def canonical(content: Any) -> bytes:
    """Return a body as its digest reads it: sorted, without spaces, UTF-8."""
    return json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def check(made: Mapping[str, Any], *, counting: bool = True) -> list[str]:
    """
    Return what is wrong with a certificate, or not any more as it says, in sentences.

    Without `counting` nothing is counted anew.
    """
    try:
        content, written = made["body"], canonical(made["body"])
        if hashlib.sha256(written).hexdigest() != made["sha256"]:
            return [_("The digest is not that of the certificate: something in it was altered.")]
        found = [
            *_check_sums(content),
            *_check_proof(made, written),
            *_check_audit(content, made["sha256"]),
        ]
        return [*found, *_check_counts(content)] if counting else found
    except (KeyError, TypeError, ValueError):
        return [_("This is no certificate of a purge.")]


def _check_sums(content: Mapping[str, Any]) -> list[str]:
    found = []
    for row in content["tables"]:
        before, removed, kept = row["before"], row["removed"], row["kept"]
        strict = row["table"] in FROZEN_TABLES
        adds_up = removed + kept == before if strict else removed + kept >= before
        if not adds_up or (strict and row["frozen"] is not None and row["frozen"] != before):
            found.append(_("The counts of %(table)s do not add up.") % {"table": row["table"]})
    return found


def _check_proof(made: Mapping[str, Any], written: bytes) -> list[str]:
    # None: under a key that was destroyed since; the audit still holds the digest.
    if is_signed(written, bytes.fromhex(made["proof"]), context=CONTEXT) is False:
        return [_("The signature is not that of this portal.")]
    return []


def _check_audit(content: Mapping[str, Any], sha256: str) -> list[str]:
    subject = f"{Purge._meta.model_name}:{content['purge']}"
    entries = AuditEntry.objects.filter(did=CERTIFIED, subject=subject)
    noted = [each for each in entries if each.detail.get("certificate") == sha256]
    found = []
    if not any(is_genuine(each) is not False for each in noted):
        found.append(_("The audit knows no such certificate."))
    for head in content["audit"].values():
        number, _space, digest = head.partition(" ")
        link = AuditLink.objects.filter(number=int(number)).first() if head else None
        if head and (link is None or bytes(link.digest).hex() != digest):
            found.append(
                _("Link %(number)s of the audit is not the one that it names.")
                % {"number": number}
            )
    return found


def _check_counts(content: Mapping[str, Any]) -> list[str]:
    """Count anew what the certificate says is gone."""
    closing = Closing.objects.select_related("area").filter(key=content["closing"]).first()
    if closing is None:
        return [_("No such closing is known here.")]
    kept = {row["table"]: row["kept"] for row in content["tables"]}
    there = recount(closing)
    return [
        _("%(number)d rows of %(table)s are there again, or still.")
        % {"number": there[table] - kept.get(table, 0), "table": table}
        for table in sorted(there)
        if there[table] > kept.get(table, 0)
    ]


def recount(closing: Closing) -> dict[str, int]:
    """
    Count the rows of a closed outbreak by the area alone, not by the list of who was frozen.

    Without people who came later, and those of whom another closing has frozen something.
    """
    came = Move.objects.valid().filter(
        resident=OuterRef("pk"),
        at__gt=closing.closed_at,
        entered__building__grid__path__startswith=closing.area.path,
    )
    other = Frozen.objects.filter(~Q(closing=closing), resident=OuterRef("pk"))
    people = Resident.objects.filter(
        ~Exists(came), ~Exists(other), grid__path__startswith=closing.area.path
    )
    return {
        table: HOLDINGS[table].of_people(people.values("pk"), closing).count()
        for table in FROZEN_TABLES
    }


def keys_still_in_use(made: Mapping[str, Any]) -> int:
    """Return how many keys are in use under which the purged data were sealed: backups open."""
    return len(_keys_in_use() & set(made["body"]["keys"]))


def _keys_in_use() -> set[str]:
    """Return the fingerprints of the keys that are configured or that seal something."""
    known = DataKey.objects.values_list("fingerprint", flat=True)
    return {*known, *(fingerprint for _kind, _version, fingerprint in keyring.fingerprints())}
