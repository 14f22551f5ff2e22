"""The register of clauses."""

from pathlib import Path

from django.conf import settings

from policy.engine.documents.coverage import coverage
from policy.engine.documents.library import shipped
from policy.words import page_addresses

ROOT = Path(settings.BASE_DIR)


class TestTheRegister:
    def test_in_the_docs_is_the_one_of_the_documents(self) -> None:
        written = (ROOT / "docs" / "coverage.md").read_text()

        assert written == coverage(shipped(), page_addresses()), (
            "run `python manage.py policy coverage`"
        )

    def test_names_every_clause_of_every_document(self) -> None:
        rows = [
            line
            for line in coverage(shipped(), page_addresses()).splitlines()
            if line.startswith("| ")
        ]

        for document in shipped().documents.values():
            for clause in document.clauses:
                assert any(row.startswith(f"| {clause} |") for row in rows)
