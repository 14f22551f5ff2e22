"""Import the areas of an installation from a CSV file."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management import CommandError
from django.core.management.base import BaseCommand

from accounts.area_file import COLUMNS, WrongRowsError, import_areas


class Command(BaseCommand):
    """Create or rename the areas of a CSV file, all or none."""

    help = f"Make the areas of a CSV file ({', '.join(COLUMNS)}); - reads standard input."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the path of the file."""
        parser.add_argument("file")

    def handle(self, *, file: str, **_: Any) -> None:
        """Import all rows, or report the errors of each wrong one."""
        try:
            data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
            # Spreadsheets write a byte order mark.
            lines = data.decode("utf-8-sig").splitlines()
            done = import_areas(lines=lines, by=None)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from error
        except UnicodeDecodeError as error:
            raise CommandError("Save the file as UTF-8: this is another encoding.") from error
        except WrongRowsError as error:
            raise CommandError(f"Nothing was written.\n{error}") from error
        self.stdout.write(
            f"{done.made} areas made, {done.renamed} renamed, {done.unchanged} there already."
        )
