"""`manage.py ask`: the questions of the contract, one JSON object a line, in and out."""

import json
import sys
from collections.abc import Iterator
from typing import IO, Any

from django.core.management.base import BaseCommand

from policy.engine.questions.ask import LONGEST_LINE, answer_line


def lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Return the lines of a stream; of one too long only so much as shows that it is."""
    while line := stream.readline(LONGEST_LINE + 2):
        longer = line
        while not longer.endswith(b"\n") and (longer := stream.readline(LONGEST_LINE)):
            pass
        yield line.removesuffix(b"\n")


class Command(BaseCommand):
    """Answer questions about the law; needs no database and no server."""

    help = "Answer policy questions: one JSON object a line on standard input, one a line back."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Answer every line; exit 1 when one of them was not understood."""
        out = sys.stdout.buffer
        failed = False
        for line in lines(sys.stdin.buffer):
            answer = answer_line(line)
            failed = failed or "error" in answer
            out.write(json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace"))
            out.write(b"\n")
            out.flush()
        if failed:
            sys.exit(1)
