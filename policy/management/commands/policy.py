"""`manage.py policy`: check a document before it is entered, and write the register of clauses."""

import argparse
import os
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext, pgettext

from policy import words
from policy.engine.comparison.compare import compare
from policy.engine.documents.checks import silent_subjects
from policy.engine.documents.coverage import coverage
from policy.engine.documents.law import Law
from policy.engine.documents.library import Library, shipped
from policy.engine.documents.loader import read_file
from policy.engine.errors import LawError
from policy.engine.wording.written import written

COVERAGE = Path(settings.BASE_DIR) / "docs" / "coverage.md"


def language() -> str:
    """Return the language of whoever sits at the terminal: Chinese or English."""
    locales = (os.environ.get(name, "") for name in ("LC_ALL", "LC_MESSAGES", "LANG"))
    return "zh-hans" if next(filter(None, locales), "").startswith("zh") else "en"


class Command(BaseCommand):
    """Check documents and write the register of clauses, without a database or a server."""

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
            COVERAGE.write_text(coverage(shipped(), words.page_addresses()), encoding="utf-8")
            return
        with translation.override(language()):
            for path in options["files"]:
                try:
                    self._check(path)
                except LawError as refused:
                    raise CommandError(_refusal(refused)) from None

    def _check(self, path: Path) -> None:
        others = {
            key: document for key, document in shipped().documents.items() if key != path.stem
        }
        document = read_file(path, others)
        library = Library({**others, document.id: document})
        law = library.law(document.id)
        clauses = ngettext("%d clause", "%d clauses", len(document.clauses))
        provisions = ngettext("%d provision", "%d provisions", len(document.provisions))
        parts = (clauses % len(document.clauses), provisions % len(document.provisions))
        self.stdout.write(
            _("%(document)s: %(parts)s, sound.")
            % {"document": document.id, "parts": _listed(parts)}
        )
        self._silent(law)
        for provision in written(document).provisions:
            for warning in provision.warnings:
                where = _("clause %(clause)s, %(subject)s: %(warning)s.") % {
                    "clause": provision.provision.clause,
                    "subject": provision.subject,
                    "warning": words.say(warning),
                }
                self.stdout.write(f"  {where}")
        if document.parent is not None:
            for finding in compare(law, library.law(document.parent)):
                where = _("clause %(clause)s, %(subject)s: %(verdict)s.") % {
                    "clause": finding.clause,
                    "subject": finding.subject,
                    "verdict": str(words.VERDICTS[finding.verdict]).lower(),
                }
                self.stdout.write(f"  {where} {words.say(finding.because)}")

    def _silent(self, law: Law) -> None:
        if silent := silent_subjects(law):
            sentence = _("Neither it nor its parents speak on: %s.") % _listed(silent)
            self.stdout.write(f"  {sentence}")


def _listed(parts: tuple[str, ...]) -> str:
    return pgettext("joins names", ", ").join(parts)


def _refusal(refused: LawError) -> str:
    parts = {"file": refused.file, "line": refused.line, "sentence": words.say(refused.text)}
    return _("%(file)s, line %(line)d: %(sentence)s") % parts
