"""Verify the audit against its hash chain."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from accounts.auditing import anchors, chain


class Command(BaseCommand):
    """Report every audit entry that was altered, removed, inserted or moved."""

    help = "Check the audit against its chain, and against heads that were noted outside."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the file of anchors, and whether to append to it."""
        parser.add_argument(
            "--anchors",
            type=Path,
            default=settings.AUDIT_ANCHORS,
            help="Notes to compare with, for example a copy kept elsewhere.",
        )
        parser.add_argument("--note", action="store_true", help="Add the head to the notes.")

    def handle(self, *, note: bool, **options: Any) -> None:
        """Seal new entries, verify the chain, and print the findings."""
        at = timezone.now()
        chain.seal(at=at)
        noted = anchors.read(options["anchors"])
        report = chain.verify(at=at, anchors=noted)
        for finding in report.findings:
            self.stderr.write(str(finding))
        self.stdout.write(
            f"{report.entries} entries, {report.waiting} of them not sealed yet;"
            f" {report.seals} seals, {len(set(noted))} of them noted outside.\n"
            f"{report.gaps} ids were given and never used: rolled back, or removed before they"
            f" were sealed.\n{report.words_gone} entries have lost their words."
        )
        if report.head:
            self.stdout.write(f"Head: {chain.head_line(report.head)}")
        if report.findings:
            raise CommandError(f"{len(report.findings)} findings: the audit was tampered with.")
        if note and report.head:
            anchors.note(options["anchors"], report.head, at=at)
