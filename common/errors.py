"""What the portal says when a rule forbids something."""

from django.core.exceptions import ValidationError


class RefusedError(ValidationError):
    """
    Something that a rule forbids, said in one translated sentence.

    Every service raises a subclass of this, and nothing else, for what a person can put right.
    `field` names the input that the sentence belongs to, "" for the whole form. A view adds it
    with `form.add_error(error.field if error.field in form.fields else None, error.sentence)`,
    or shows `error.sentence` as a message.
    """

    field = ""

    @property
    def sentence(self) -> str:
        """Return the sentence."""
        return str(self.messages[0])
