"""The base class of errors that are shown to users."""

from django.core.exceptions import ValidationError


class RefusedError(ValidationError):
    """
    An act that a rule forbids, with one translated sentence for the user.

    Services raise only subclasses of this for errors that the user can correct.
    `field` names the input that the sentence belongs to, "" for the whole form. A view adds it
    with `form.add_error(error.field if error.field in form.fields else None, error.sentence)`,
    or shows `error.sentence` as a message.
    """

    field = ""

    @property
    def sentence(self) -> str:
        """Return the sentence."""
        return str(self.messages[0])
