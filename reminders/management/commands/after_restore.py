"""Say what waits after a backup was restored, and let it leave or drop it."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from reminders import channels, restores
from reminders.models import Message

OUTSIDE = [channel.value for channel in Message.Channel if channel != Message.Channel.IN_APP]


class Command(BaseCommand):
    """Show messages that are held, and end the holding when somebody says so."""

    help = "After a backup was restored: say which messages wait to leave; --go lets them."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare what a human decides."""
        parser.add_argument("--go", action="store_true", help="Let messages leave again.")
        parser.add_argument(
            "--drop",
            nargs="+",
            choices=OUTSIDE,
            default=[],
            metavar="CHANNEL",
            help=f"With --go: drop what waits by these channels ({', '.join(OUTSIDE)}).",
        )

    def handle(self, *, go: bool, drop: list[str], **_: Any) -> None:
        """Print what waits by channel and kind; with `go`, end the holding."""
        held = restores.is_held()
        self.stdout.write(
            "Messages to the outside are held: the database was restored from a backup."
            if held
            else "Messages to the outside are not held."
        )
        for (channel, kind), number in sorted(restores.waiting().items()):
            once = "its gateway knows keys" if channels.honours_keys(channel) else "no keys"
            self.stdout.write(f"{number:6} {channel} {kind} ({once})")
        if go:
            dropped = restores.go_on(drop=tuple(drop), at=timezone.now())
            self.stdout.write(f"{dropped} dropped. The rest leaves from now on.")
        elif held:
            self.stdout.write(
                "Where a gateway knows keys, what it delivered before the restoring is not"
                " delivered again. Elsewhere it would be: --go --drop CHANNEL … or --go."
            )
