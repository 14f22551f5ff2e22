"""`manage.py policy`: check a document before it is entered, and write the register of clauses."""

import argparse
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from policy.engine.compare import compare
from policy.engine.coverage import coverage
from policy.engine.errors import LawError
from policy.engine.law import Law
from policy.engine.library import Library, shipped
from policy.engine.loader import read_file
from policy.engine.schema import MEASURE_SUBJECTS

COVERAGE = Path(settings.BASE_DIR) / "docs" / "coverage.md"


class Command(BaseCommand):
    """Look after documents; needs no database and no server."""

    help = "Check a document (check FILE), or write the register of clauses (coverage)."
    requires_system_checks = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Take what is to be done."""
        actions = parser.add_subparsers(dest="action", required=True)
        check = actions.add_parser("check", help="Read documents strictly and say what they do.")
        check.add_argument("files", nargs="+", type=Path)
        actions.add_parser("coverage", help="Write docs/coverage.md.")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it; a document that is refused ends the command with its line."""
        if options["action"] == "coverage":
            COVERAGE.write_text(coverage(shipped()), encoding="utf-8")
            return
        for path in options["files"]:
            try:
                self._check(path)
            except LawError as refused:
                raise CommandError(str(refused)) from None

    def _check(self, path: Path) -> None:
        document = read_file(path)
        others = {key: one for key, one in shipped().documents.items() if key != document.id}
        library = Library(others).with_document(document)
        law = library.law(document.id)
        self.stdout.write(
            f"{document.id}: {len(document.clauses)} clauses, "
            f"{len(document.provisions)} provisions, sound."
        )
        self._silent(law)
        if document.parent is not None:
            for found in compare(law, library.law(document.parent)):
                about = f"  clause {found.clause}, {found.subject}"
                self.stdout.write(f"{about}: {found.verdict}. {found.because.en}")

    def _silent(self, law: Law) -> None:
        silent = [subject for subject in MEASURE_SUBJECTS if not law.rows[subject]]
        if silent:
            self.stdout.write(f"  Neither it nor its parents speak on: {', '.join(silent)}.")
