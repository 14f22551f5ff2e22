"""Seal the names of those who are registered or staged, and find them by keyed hashes."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps
from psycopg2.extras import execute_values

import common.encryption

MANY = 2000

# What the row held legibly is blanked in the same step: a dropped column stays in its pages.
_FILL = """
UPDATE {table} AS filled
SET name = given.name, name_key = given.key, name_words = given.words::tsvector,
    name_hash = given.hash, name_plain = ''
FROM (VALUES %s) AS given (resident, name, key, words, hash)
WHERE filled.{resident} = given.resident::uuid
"""
_STAGED_UPDATES = """
UPDATE residents_stagedresident SET name_plain = '', name_key = '', name_words = NULL
WHERE version IS NOT NULL
"""


def seal(apps: StateApps, editor: BaseDatabaseSchemaEditor) -> None:
    """Seal and hash names, some thousand rows at a time."""
    residents = apps.get_model("residents", "Resident")
    staged = apps.get_model("residents", "StagedResident").objects.filter(version=None)
    field = residents._meta.get_field("name")
    with editor.connection.cursor() as cursor:
        cursor.execute(_STAGED_UPDATES)
        for table, column, rows in (
            ("residents_resident", "key", residents.objects.values_list("key", "name_plain")),
            ("residents_stagedresident", "resident", staged.values_list("resident", "name_plain")),
        ):
            fill = _FILL.format(table=table, resident=column)
            for batch in _batches(rows.order_by(column).iterator(MANY)):
                execute_values(cursor, fill, [_sealed(field, *row) for row in batch])


def _sealed(field: Any, key: object, name: str) -> tuple[Any, ...]:
    from residents.search import name_keys

    columns = name_keys.columns(name)
    return str(key), field.seal(name, key), columns.key, columns.words, columns.hash


def _batches(rows: Iterator[Any]) -> Iterator[list[Any]]:
    while batch := list(islice(rows, MANY)):
        yield batch


class Migration(migrations.Migration):
    """Put sealed names in the place of legible ones; there is no way back."""

    dependencies = (("residents", "0013_merges"),)
    operations = (
        migrations.RemoveIndex("resident", "resident_name_words"),
        migrations.RenameField("resident", "name", "name_plain"),
        migrations.RenameField("stagedresident", "name", "name_plain"),
        migrations.AddField(
            "resident",
            "name",
            common.encryption.EncryptedTextField(
                bound_to=["key"], default="", verbose_name="name"
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            "stagedresident", "name", models.BinaryField(default=b""), preserve_default=False
        ),
        migrations.AddField(
            "resident",
            "name_hash",
            models.CharField(blank=True, default="", editable=False, max_length=16),
            preserve_default=False,
        ),
        migrations.AddField(
            "stagedresident",
            "name_hash",
            models.CharField(default="", max_length=16),
            preserve_default=False,
        ),
        migrations.RunPython(seal, elidable=True),
        migrations.RemoveField("resident", "name_plain"),
        migrations.RemoveField("stagedresident", "name_plain"),
        migrations.AlterField(
            "resident",
            "name_key",
            models.CharField(blank=True, editable=False, max_length=10, verbose_name="pinyin"),
        ),
        migrations.AlterField("stagedresident", "name_key", models.CharField(max_length=10)),
        migrations.AddIndex(
            "resident", GinIndex(fields=["name_words"], name="resident_name_words")
        ),
    )
