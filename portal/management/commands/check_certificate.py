"""Check a certificate of a purge against itself, the audit and the database."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from portal.retention import certificate
from portal.retention.models import Purge


class Command(BaseCommand):
    """Say what of a certificate is wrong, or not any more as it says."""

    help = "Check a certificate: its digest, its signature, the audit, and the counts of today."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the certificate: a file, or the number of the purge."""
        parser.add_argument("certificate", help="A file, or the pseudonym of a purge.")

    def handle(self, **options: Any) -> None:
        """Check it, and print the findings."""
        made = _read(options["certificate"])
        findings = certificate.check(made)
        for finding in findings:
            self.stderr.write(finding)
        if findings:
            raise CommandError(f"{len(findings)} findings: do not rely on this certificate.")
        body = made["body"]
        removed = sum(row["removed"] for row in body["tables"])
        self.stdout.write(
            f"{body['area']['name']}: {removed} rows of {body['people']} people removed on"
            f" {body['finished_at']}, {body['people_kept']} people kept,"
            f" {body['people_who_go_on']} go on in a later outbreak. The digest, the"
            f" signature, the audit and the counts of today agree."
        )
        if in_use := certificate.keys_still_in_use(made):
            self.stdout.write(
                f"{in_use} of the keys of that day are still in use: backups from before can be"
                f" read with them (docs/privacy.md, Keys)."
            )


def _read(named: str) -> Any:
    path = Path(named)
    try:
        if path.is_file():
            return json.loads(path.read_text(encoding="utf-8"))
        purge = Purge.objects.exclude(certificate=None).get(key=UUID(named))
    except (ValueError, Purge.DoesNotExist):
        raise CommandError("There is no such certificate.") from None
    return purge.certificate
