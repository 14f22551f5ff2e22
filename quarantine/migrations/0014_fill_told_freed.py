"""Note who was told that a document asks nothing more, so that nobody is told twice."""

from django.db import migrations

TOLD = """
    UPDATE quarantine_case SET told_freed = true
    WHERE transition = 'freed' AND told_plan_id = plan_id
        AND told_release_on IS NOT DISTINCT FROM release_on
"""


class Migration(migrations.Migration):
    dependencies = [("quarantine", "0013_told_of_being_freed")]
    operations = [migrations.RunSQL(TOLD, migrations.RunSQL.noop)]
