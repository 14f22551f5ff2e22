"""What staff write as a reason may name people: it is sealed like a note."""

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations

import common.encryption

ONLY_WITHDRAWN = 'WHEN (OLD."about_id" IS DISTINCT FROM (NEW."about_id") OR OLD."at" IS DISTINCT FROM (NEW."at") OR OLD."by_id" IS DISTINCT FROM (NEW."by_id") OR OLD."case_id" IS DISTINCT FROM (NEW."case_id") OR OLD."clause" IS DISTINCT FROM (NEW."clause") OR OLD."day" IS DISTINCT FROM (NEW."day") OR OLD."detail" IS DISTINCT FROM (NEW."detail") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."kind" IS DISTINCT FROM (NEW."kind") OR OLD."note" IS DISTINCT FROM (NEW."note") OR OLD."reason" IS DISTINCT FROM (NEW."reason"))'


def seal(apps, schema_editor):
    field = apps.get_model("quarantine", "Event")._meta.get_field("reason")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, case_id, at, reason_plain FROM quarantine_event WHERE reason_plain <> ''"
        )
        rows = [(field.seal(text, case, at), pk) for pk, case, at, text in cursor.fetchall()]
        cursor.executemany("UPDATE quarantine_event SET reason = %s WHERE id = %s", rows)


class Migration(migrations.Migration):
    dependencies = [("quarantine", "0007_correct_results")]

    operations = [
        pgtrigger.migrations.RemoveTrigger(model_name="event", name="only_withdrawn"),
        migrations.SeparateDatabaseAndState(
            database_operations=[
                migrations.RunSQL(
                    "ALTER TABLE quarantine_event RENAME COLUMN reason TO reason_plain;"
                    "ALTER TABLE quarantine_event ADD COLUMN reason bytea NOT NULL DEFAULT '';"
                )
            ],
            state_operations=[
                migrations.AlterField(
                    model_name="event",
                    name="reason",
                    field=common.encryption.EncryptedTextField(
                        blank=True, bound_to=["case_id", "at"], verbose_name="reason"
                    ),
                )
            ],
        ),
        migrations.RunPython(seal, elidable=True),
        migrations.RunSQL(
            "ALTER TABLE quarantine_event DROP COLUMN reason_plain;"
            "ALTER TABLE quarantine_event ALTER COLUMN reason DROP DEFAULT;"
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="event",
            trigger=pgtrigger.compiler.Trigger(name="only_withdrawn", sql=pgtrigger.compiler.UpsertTriggerSql(condition=ONLY_WITHDRAWN, func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;", hash="99acaaa14094350a8bb580df8a41e8927fa3b3dc", operation="UPDATE", pgid="pgtrigger_only_withdrawn_b11f4", table="quarantine_event", when="BEFORE")),
        ),
    ]
