"""The counts behind the limits."""

from django.db import models


class Limit(models.Model):
    """
    How often something was tried, by the keyed hash of what and who.

    In the database rather than the cache: it counts at once for all processes, and without Redis.
    """

    key = models.CharField(max_length=64, primary_key=True)
    used = models.PositiveIntegerField()
    since = models.DateTimeField()  # the first that counts
    last = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "limit"

    def __str__(self) -> str:
        return f"limit {self.key[:8]}"
