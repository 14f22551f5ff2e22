"""
What may go wrong on the way out.

Their texts are shown and stored: they say what happened, and never to whom or with what words.
"""


class NotSentError(Exception):
    """The message certainly did not leave."""


class PerhapsSentError(Exception):
    """The message may have left: the other side did not say."""
