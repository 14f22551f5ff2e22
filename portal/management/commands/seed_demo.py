"""Fill an empty database with the demo community."""

import time
from typing import Any

from django.conf import settings
from django.core.management import CommandError
from django.core.management.base import BaseCommand

from common import clock
from portal import demo


class Command(BaseCommand):
    """Make the demo's areas, accounts and people; running it again changes nothing."""

    help = "Fill an empty database with the demo community."

    def handle(self, *_: Any, **__: Any) -> None:
        """Seed, and say how long it took."""
        if not settings.DEMO:
            raise CommandError("This portal is no demo (WANGGE_DEMO): nothing was changed.")
        began = time.monotonic()
        try:
            made = demo.seed(at=clock.now())
        except demo.NotEmptyError as error:
            raise CommandError(str(error)) from error
        took = time.monotonic() - began
        self.stdout.write(
            f"The demo community was made in {took:.1f} s."
            if made
            else "The demo is here already."
        )
