"""What the database remembers of the keys it was filled with."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataKey(models.Model):
    """That a key is in use in this database; of the key itself a keyed hash of a fixed text."""

    class Kind(models.TextChoices):
        FIELD = "field", _("seals")
        SEARCH = "search", _("finds")

    kind = models.CharField(max_length=10, choices=Kind)
    version = models.PositiveSmallIntegerField()
    fingerprint = models.CharField(max_length=64, unique=True)

    class Meta:
        verbose_name = _("key in use")
        verbose_name_plural = _("keys in use")

    def __str__(self) -> str:
        return f"{self.kind} key {self.version}"
