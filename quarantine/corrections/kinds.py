"""Words of corrections that are kept."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class ExcludedBy(models.TextChoices):
    """Who found that a measure has no ground."""

    CDC = "cdc", _("Disease-control centre")
    MEDICAL = "medical", _("Medical institution")
    HEADQUARTERS = "headquarters", _("Epidemic-control headquarters")
