"""
Errors of sending.

Their texts are shown and stored, so they name the error, but no recipient and no content.
"""


class NotSentError(Exception):
    """The message was certainly not sent."""


class PerhapsSentError(Exception):
    """The message may have been sent: there was no clear answer."""
