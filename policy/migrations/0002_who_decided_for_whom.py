"""Keep for whom those who decide work, and why a decision was withdrawn."""

from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Max
from django.utils import translation
from django.utils.translation import gettext as _


def leave_one_proposal_an_area(apps, schema_editor):
    """Withdraw, for its proposer, each proposal that a later one for the same area waits beside."""
    waiting = apps.get_model("policy", "Activation").objects.filter(
        approved_at=None, withdrawn_at=None
    )
    newest = dict(waiting.order_by().values_list("area").annotate(Max("pk")))
    with translation.override(settings.LANGUAGE_CODE):
        reason = _("A later proposal for the same area takes its place.")
    for area, last in newest.items():
        waiting.filter(area=area, pk__lt=last).update(
            withdrawn_by=F("proposed_by"), withdrawn_at=F("proposed_at"), withdrawal_reason=reason
        )


class Migration(migrations.Migration):
    dependencies = [
        ("policy", "0001_initial"),
        ("accounts", "0002_who_employs_whom"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name='activation',
            name='approver_employer',
            field=models.CharField(blank=True, max_length=60, verbose_name='employer of the second'),
        ),
        migrations.AddField(
            model_name='activation',
            name='proposer_employer',
            field=models.CharField(blank=True, max_length=60, verbose_name='employer of the first'),
        ),
        migrations.AddField(
            model_name='activation',
            name='withdrawal_reason',
            field=models.CharField(blank=True, max_length=200, verbose_name='reason of the withdrawal'),
        ),
        migrations.RunPython(leave_one_proposal_an_area, migrations.RunPython.noop, elidable=True),
    ]
