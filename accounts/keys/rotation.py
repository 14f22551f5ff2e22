"""
Sealing everything anew with the newest keys, while the portal is used.

Rows are taken a few hundred at a time. A row that somebody changes meanwhile is left to them: what
they write is sealed with the newest key already. Stopped at any moment, it goes on where it was.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pgtrigger
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from django.db import models, transaction
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.keys import keyring
from accounts.keys.models import DataKey
from common.encryption import (
    FOR_ITS_ROW,
    EncryptedTextField,
    Sealed,
    field_keys,
    newest_version,
    sealed_fields,
)

MANY = 500
# What of a second factor is sealed.
SECRETS = ("secret", "seed")

Rehash = Mapping[type[models.Model], Callable[[Any], dict[str, str]]]


def rotate(*, rehash: Rehash, tell: Callable[[str, int], None]) -> None:
    """
    Seal everything with the newest key and hash it with the newest search key.

    `rehash` returns, for a row of a model, the hashes under which it is found. `tell` hears how
    many rows of a table were done.
    """
    for model in keyring.sealed_models():
        tell(model._meta.db_table, _seal_anew(model))
    tell(Authenticator._meta.db_table, _seal_second_factors())
    for model, columns in rehash.items():
        tell(f"{model._meta.db_table} (search)", _hash_anew(model, columns))
    _forget_old_keys()


def _seal_anew(model: type[models.Model]) -> int:
    fields = sealed_fields(model)
    newest = FOR_ITS_ROW + bytes([newest_version()])
    old = models.Q()
    for field in fields:
        old |= models.Q(**{f"old_{field.name}": True})
    done, after = 0, None
    while True:
        rows = model._base_manager.annotate(
            **{f"old_{field.name}": _is_old(field, newest) for field in fields}
        ).filter(old)
        if after is not None:
            rows = rows.filter(pk__gt=after)
        chunk = list(rows.order_by("pk")[:MANY])
        if not chunk:
            return done
        with transaction.atomic(), pgtrigger.ignore():
            done += sum(_seal_row(row, fields) for row in chunk)
        after = chunk[-1].pk


def _is_old(field: EncryptedTextField, newest: bytes) -> RawSQL:
    column = f'"{field.model._meta.db_table}"."{field.column}"'
    return RawSQL(  # noqa: S611 - the names of our own columns
        f"length({column}) > 0 AND substring({column} from 1 for 2) <> %s",
        [newest],
        output_field=models.BooleanField(),
    )


def _seal_row(row: models.Model, fields: list[EncryptedTextField]) -> int:
    """Seal a row anew unless it changed since it was read; return how many rows that were."""
    before = {field.name: Sealed(row.__dict__[field.attname] or b"") for field in fields}
    after = {field.name: field.seal_for(getattr(row, field.name), row) for field in fields}
    return type(row)._base_manager.filter(pk=row.pk, **before).update(**after)


def _seal_second_factors() -> int:
    adapter = get_adapter()
    done = 0
    for one in Authenticator.objects.order_by("pk").iterator(MANY):
        data = {
            name: adapter.encrypt(adapter.decrypt(value)) if name in SECRETS else value
            for name, value in one.data.items()
        }
        if data != one.data:
            done += Authenticator.objects.filter(pk=one.pk, data=one.data).update(data=data)
    return done


def _hash_anew(model: type[models.Model], columns: Callable[[Any], dict[str, str]]) -> int:
    done = 0
    for chunk in _chunks(model):
        with transaction.atomic():
            for row in chunk:
                new = columns(row)
                old = {name: getattr(row, name) for name in new}
                if old != new:
                    rows = model._base_manager.filter(pk=row.pk, **old)
                    done += rows.update(**new)
    return done


def _chunks(model: type[models.Model]) -> Iterator[list[models.Model]]:
    after = 0
    while chunk := list(model._base_manager.filter(pk__gt=after).order_by("pk")[:MANY]):
        yield chunk
        after = chunk[-1].pk


@transaction.atomic
def _forget_old_keys() -> None:
    """Remember only the keys that are newest, now that nothing needs another."""
    newest = [said for kind, version, said in keyring.fingerprints() if _is_newest(kind, version)]
    search = next(said for kind, _, said in keyring.fingerprints() if kind == DataKey.Kind.SEARCH)
    newest = [*newest, search]
    DataKey.objects.exclude(fingerprint__in=newest).delete()
    audit.record(by=None, did=gettext_noop("sealed everything anew"), to=f"key:{newest_version()}")


def _is_newest(kind: str, version: int) -> bool:
    return kind == DataKey.Kind.FIELD and version == next(iter(field_keys()))
