"""
How long a test waits for what must happen: so long that only what never happens fails.

Tests wait for events, and this is the end of their patience. No test asserts how quickly
something went: machines do other work, too.
"""

SECONDS = 120
MILLISECONDS = SECONDS * 1_000
