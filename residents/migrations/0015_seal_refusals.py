"""Seal why a handover was refused."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

import common.encryption


def seal(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Seal the reasons that were given."""
    handovers = apps.get_model("residents", "Handover").objects
    field = handovers.model._meta.get_field("reason")
    for handover in handovers.exclude(reason_plain=""):
        handovers.filter(pk=handover.pk).update(
            reason=field.seal_for(handover.reason_plain, handover), reason_plain=""
        )


class Migration(migrations.Migration):
    """Put sealed reasons in the place of legible ones; there is no way back."""

    dependencies = (("residents", "0014_seal_names"),)
    operations = (
        migrations.RenameField("handover", "reason", "reason_plain"),
        migrations.AddField(
            "handover",
            "reason",
            common.encryption.EncryptedTextField(
                blank=True, bound_to=["key"], default="", verbose_name="reason"
            ),
            preserve_default=False,
        ),
        migrations.RunPython(seal, elidable=True),
        migrations.RemoveField("handover", "reason_plain"),
    )
