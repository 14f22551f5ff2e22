"""
The database's own witness: each change of a row that the audit rests on becomes a link.

A trigger notes the change in the transaction that makes it. When that transaction commits, and
all else that waits for the commit is done, the links get their numbers under one lock, which is
held for the commit alone: writers do not wait for each other's work. Why so: decision 0028.

The functions belong to the role that migrates. The role that serves can neither write links nor
switch the triggers off, and may only add to the audit.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection, models

from accounts.auditing.models import AuditEntry, AuditLink, AuditPending, AuditWords
from accounts.exports.models import Export
from common.encryption import sealed_fields

TRIGGER = "audit_witness"
# May be read and added to; what is protected by the witness alone needs no more.
ADD_ONLY = (AuditEntry, AuditWords, Export)
READ_ONLY = (AuditLink, AuditPending)
# Of these rows are never deleted by the portal, though some change.
KEPT = (
    *("accounts.AccountProposal", "accounts.DataKey", "accounts.ExportRequest"),
    *("accounts.Intervention", "policy.Activation", "policy.StoredDocument"),
    *("residents.Closing", "portal.Purge", "portal.RetentionTerm"),
)

# `last` are all deferred triggers of the transaction but the ones that the first pass fires: a
# lock taken before a foreign key is checked could be waited for in a circle.
FUNCTIONS = """
CREATE OR REPLACE FUNCTION audit_witness() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET "TimeZone" = 'UTC' SET bytea_output = 'hex' AS $$
DECLARE
  key text := TG_ARGV[0];
  sealed text[] := string_to_array(TG_ARGV[1], ',');
  left_out text[] := string_to_array(TG_ARGV[2], ',');
  was jsonb; becomes jsonb;
BEGIN
  IF TG_OP <> 'INSERT' THEN was := audit_covered(to_jsonb(OLD), sealed, left_out); END IF;
  IF TG_OP <> 'DELETE' THEN becomes := audit_covered(to_jsonb(NEW), sealed, left_out); END IF;
  IF was = becomes THEN RETURN NULL; END IF;
  IF was IS NOT NULL AND (becomes IS NULL OR was->>key <> becomes->>key) THEN
    INSERT INTO accounts_auditpending (op, "table", row, content, tx)
      VALUES ('D', TG_TABLE_NAME, was->>key, NULL, pg_current_xact_id()::text::bigint);
  END IF;
  IF becomes IS NOT NULL THEN
    INSERT INTO accounts_auditpending (op, "table", row, content, tx)
      VALUES (left(TG_OP, 1), TG_TABLE_NAME, becomes->>key,
        sha256(convert_to(becomes::text, 'UTF8')), pg_current_xact_id()::text::bigint);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION audit_covered(content jsonb, sealed text[], left_out text[])
RETURNS jsonb LANGUAGE sql IMMUTABLE AS $$
  SELECT content - left_out || coalesce(
    (SELECT jsonb_object_agg(name, length(content->>name) > 2) FROM unnest(sealed) name), '{}')
$$;

CREATE OR REPLACE FUNCTION audit_come_last() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM accounts_auditpending WHERE op = '!') THEN
    INSERT INTO accounts_auditpending (op, "table", row, tx) VALUES ('!', '', '', 0);
  END IF;
  RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION audit_link() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
  n bigint; head bytea; change accounts_auditpending%ROWTYPE;
BEGIN
  PERFORM pg_advisory_xact_lock(20221208);
  SELECT number, digest INTO n, head FROM accounts_auditlink ORDER BY number DESC LIMIT 1;
  n := coalesce(n, 0);
  head := coalesce(head, '');
  FOR change IN SELECT * FROM accounts_auditpending WHERE op <> '!' ORDER BY id LOOP
    n := n + 1;
    head := sha256(head || convert_to(concat_ws('|', n, change.op, change."table", change.row,
      coalesce(encode(change.content, 'hex'), ''), change.tx), 'UTF8'));
    INSERT INTO accounts_auditlink (number, op, "table", row, content, tx, digest)
      VALUES (n, change.op, change."table", change.row, change.content, change.tx, head);
  END LOOP;
  DELETE FROM accounts_auditpending;
  RETURN NULL;
END $$;

-- The one way in which words end: they may name people, and go with the people's data.
CREATE OR REPLACE FUNCTION audit_forget_words(entries bigint[]) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH gone AS (
    DELETE FROM accounts_auditwords WHERE entry_id = ANY(entries) RETURNING entry_id
  ) SELECT count(*) FROM gone
$$;

DROP TRIGGER IF EXISTS audit_come_last ON accounts_auditpending;
CREATE CONSTRAINT TRIGGER audit_come_last AFTER INSERT ON accounts_auditpending
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.op <> '!')
  EXECUTE FUNCTION audit_come_last();
DROP TRIGGER IF EXISTS audit_link ON accounts_auditpending;
CREATE CONSTRAINT TRIGGER audit_link AFTER INSERT ON accounts_auditpending
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.op = '!') EXECUTE FUNCTION audit_link();
ALTER TABLE accounts_auditpending SET (autovacuum_vacuum_threshold = 1000,
  autovacuum_vacuum_scale_factor = 0);
"""


@dataclass(frozen=True)
class Witnessed:
    """A table that the audit rests on, and what of its rows is covered."""

    table: str
    key: str
    sealed: tuple[str, ...]
    left_out: tuple[str, ...]

    @property
    def covered(self) -> str:
        """Return the SQL of a row `t` as the trigger digests it, without trusting its function."""
        flags = ", ".join(f"'{name}', length(to_jsonb(t)->>'{name}') > 2" for name in self.sealed)
        left_out = ", ".join(f"'{name}'" for name in self.left_out)
        return f"(to_jsonb(t) - ARRAY[{left_out}]::text[] || jsonb_build_object({flags}))::text"


def witnessed() -> Iterator[Witnessed]:
    """
    Yield the tables of settings.WITNESSED.

    Of a sealed column the links hold only whether it is filled: its own key proves the rest, and
    a change of keys changes no content.
    """
    for label, left_out in settings.WITNESSED.items():
        model: Any = apps.get_model(label)
        key, names = model._meta.pk.column, [field.attname for field in sealed_fields(model)]
        yield Witnessed(model._meta.db_table, key, tuple(names), tuple(left_out))


def install(role: str | None = None, password: str = "") -> None:
    """
    Put the witness over all tables that are there, and leave `role`, which serves, its rights.

    A role that is not there is made, where who migrates may make one. Rows that are older than
    the witness of their table are linked as they are. May be repeated.
    """
    tables = set(connection.introspection.table_names())
    if AuditLink._meta.db_table not in tables:
        return
    with connection.cursor() as cursor:
        cursor.execute(FUNCTIONS)
        for each in witnessed():
            if each.table in tables and not is_watched(each.table):
                cursor.execute(
                    f"CREATE TRIGGER {TRIGGER} AFTER INSERT OR UPDATE OR DELETE ON {each.table}"
                    f" FOR EACH ROW EXECUTE FUNCTION audit_witness('{each.key}',"
                    f" '{','.join(each.sealed)}', '{','.join(each.left_out)}')"
                )
                _link_older_rows(cursor, each)
        if role:
            _make(cursor, role, password)
            _grant(cursor, role, tables)


def is_watched(table: str) -> bool:
    """Return whether the witness is on a table and switched on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgenabled = 'O' FROM pg_trigger WHERE tgrelid = %s::regclass AND tgname = %s",
            [table, TRIGGER],
        )
        row = cursor.fetchone()
    return bool(row and row[0])


def _link_older_rows(cursor: Any, each: Witnessed) -> None:
    cursor.execute(
        f'INSERT INTO {AuditPending._meta.db_table} (op, "table", row, content, tx)'  # noqa: S608 - names of ours
        f" SELECT 'I', '{each.table}', t.{each.key}::text,"
        f" sha256(convert_to({each.covered}, 'UTF8')), 0 FROM {each.table} t"
        f" WHERE NOT EXISTS (SELECT FROM {AuditLink._meta.db_table} l"
        f" WHERE l.\"table\" = '{each.table}' AND l.row = t.{each.key}::text)"
    )


def _make(cursor: Any, role: str, password: str) -> None:
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
    if not cursor.fetchone():
        name = connection.ops.quote_name(role)
        cursor.execute(f"CREATE ROLE {name} LOGIN PASSWORD %s", [password or None])


def _grant(cursor: Any, role: str, tables: set[str]) -> None:
    """Let a role that owns nothing use the tables, and of the audit only add to it."""
    name = connection.ops.quote_name(role)
    added, read = (_names(models_, tables) for models_ in (ADD_ONLY, READ_ONLY))
    kept = _names([apps.get_model(label) for label in KEPT], tables)
    for right in (
        "GRANT USAGE ON SCHEMA public TO",
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO",
        "GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO",
        f"REVOKE UPDATE, DELETE ON {added} FROM",
        f"REVOKE INSERT, UPDATE, DELETE ON {read} FROM",
        f"REVOKE DELETE ON {kept} FROM",
        "REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM",
    ):
        cursor.execute(f"{right} {name}")


def _names(listed: Any, tables: set[str]) -> str:
    found: list[type[models.Model]] = [m for m in listed if m._meta.db_table in tables]
    return ", ".join(model._meta.db_table for model in found)
