"""What a password may not be, besides short, common or like its owner's name."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from accounts.staff.models import User

# What everybody here would try first (docs/security.md).
WORDS = ("wangge", "网格", "社区", "街道", "防疫", "疫情", "shequ", "jiedao", "fangyi", "yiqing")
# What has to be left of a password without them.
LEAST_BESIDE = 6


class NotOfThePortalsWords:
    """Refuse passwords that are little more than words of the portal, its work or the employer."""

    def validate(self, password: str, user: User | None = None) -> None:
        """Raise ValidationError where too little is left without those words."""
        rest = password.casefold()
        for word in (*WORDS, *([user.employer.casefold()] if user and user.employer else [])):
            rest = rest.replace(word, "")
        if rest != password.casefold() and len(rest) < LEAST_BESIDE:
            raise ValidationError(self.get_help_text(), code="password_of_the_portals_words")

    def get_help_text(self) -> str:
        """Return the sentence beside the field."""
        return _("Do not build your password on words of this work or on your employer's name.")
