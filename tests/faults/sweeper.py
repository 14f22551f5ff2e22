"""
A process that sweeps when told to, in children that may be killed.

Each line of its input starts a sweep in a child of its own; it says the child's number, and when
the child has ended, how.
"""

import os
import sys
from datetime import datetime

import django


def main() -> None:
    """Start a sweep for each line: the moment, and how many cases a chunk has."""
    django.setup()
    from policy.engine.documents.library import shipped
    from quarantine.switching.sweep import sweep

    shipped()  # read once, before the children are made; no connection is open yet
    for line in sys.stdin:
        at, chunk = line.split()
        child = os.fork()
        if not child:
            sweep(at=datetime.fromisoformat(at), chunk=int(chunk))
            os._exit(0)
        say(child)
        say(os.waitpid(child, 0)[1])


def say(number: int) -> None:
    """Write a number on a line of its own, at once."""
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
