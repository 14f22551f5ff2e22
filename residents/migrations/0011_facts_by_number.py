"""Equal facts are found by a number, the beginning of the hash that stood here."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('residents', '0010_openings'),
    ]

    operations = [
        migrations.AddField(
            model_name='healthfile',
            name='token',
            field=models.BigIntegerField(db_index=True, default=0, editable=False),
        ),
        migrations.RunSQL(
            "UPDATE residents_healthfile"
            " SET token = ('x0' || left(facts_hash, 15))::bit(64)::bigint WHERE facts_hash <> ''",
            migrations.RunSQL.noop,
        ),
        migrations.RemoveField(model_name='healthfile', name='facts_hash'),
    ]
