"""Let the sweep look again at open cases that follow another document than that of their opening."""

from django.db import migrations

FOLLOWED = """
    UPDATE quarantine_case SET activation_id = NULL, version = version + 1
    WHERE closed_on IS NULL AND law_from IS NOT NULL
"""


class Migration(migrations.Migration):
    dependencies = [("quarantine", "0010_looks_at_previews")]
    operations = [migrations.RunSQL(FOLLOWED, migrations.RunSQL.noop)]
