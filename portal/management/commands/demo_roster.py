"""Write a roster to try out: generated people, with every trouble that real files have."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from portal.demo.roster import write_roster


class Command(BaseCommand):
    """Write demo-roster.xlsx into the data folder, for supervisor.bayannur to upload."""

    help = "Write a roster of generated people into the data folder, to be uploaded in the demo."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Take the number of rows."""
        parser.add_argument("--rows", type=int, default=20_000)

    def handle(self, *_: Any, rows: int, **__: Any) -> None:
        """Write it, and say what should become of its rows."""
        if not settings.DEMO:
            raise CommandError("This portal is no demo (WANGGE_DEMO): nothing was written.")
        path = settings.DATA_DIR / "demo-roster.xlsx"
        expected = write_roster(path, rows=rows)
        counts = ", ".join(f"{number:,} {becomes}" for becomes, number in sorted(expected.items()))
        self.stdout.write(f"{path}: {rows:,} generated people; expect {counts}.")
