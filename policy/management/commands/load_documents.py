"""Let the database know the provisions of the documents that the portal ships."""

from typing import Any

from django.core.management.base import BaseCommand

from policy.services import load_documents


class Command(BaseCommand):
    """Bring the provisions level with the documents; run it after every migration."""

    help = "Let the database know the provisions of the documents that the portal ships."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load and say how many were new."""
        self.stdout.write(f"{load_documents()} new provisions")
