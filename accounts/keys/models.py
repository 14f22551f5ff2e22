"""The fingerprints of the keys that this database was sealed with."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class DataKey(models.Model):
    """A key in use in this database, stored as the keyed hash of a fixed text."""

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
