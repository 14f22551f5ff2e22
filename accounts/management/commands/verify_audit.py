"""Verify the audit against its chain, and against what was noted outside the database."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.auditing import chain
from accounts.keys.keyring import WrongKeysError


class Command(BaseCommand):
    """Report every row that the audit rests on and that was altered, removed or put in."""

    help = "Check the audit against its chain, and against heads that were noted outside."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the files of anchors."""
        parser.add_argument(
            "--anchors",
            type=Path,
            nargs="+",
            default=[settings.AUDIT_ANCHORS],
            help="Noted heads to compare with, oldest file first: for example copies elsewhere.",
        )

    def handle(self, *, anchors: list[Path], **options: Any) -> None:
        """Verify, and print what was found and where."""
        try:
            report = chain.verify(noted=anchors)
        except WrongKeysError as error:
            raise CommandError(
                f"The audit was not checked, for want of its keys: {error}"
            ) from None
        for finding in report.findings:
            self.stderr.write(str(finding))
        self.stdout.write(
            f"{report.entries} entries; {report.links} links of the chain, the last"
            f" {report.not_anchored} of them not noted outside; {report.anchored} heads noted.\n"
            f"{report.words_gone} entries have lost their words, {report.stamps} time stamps."
        )
        if report.head:
            self.stdout.write(f"Head: {report.head.number} {report.head.digest}")
        if report.findings:
            raise CommandError(f"{len(report.findings)} findings: the audit was tampered with.")
