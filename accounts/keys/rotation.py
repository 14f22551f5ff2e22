"""
Key rotation: seal everything again with the newest keys while the portal is in use.

Rows are processed 500 at a time. A row that changes meanwhile is skipped, because the new value is
sealed with the newest key already. An interrupted rotation continues where it stopped.
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

BATCH_SIZE = 500
# The sealed values of a second factor.
SECRETS = ("secret", "seed")

Rehash = Mapping[type[models.Model], Callable[[Any], dict[str, str]]]


def rotate(*, rehash: Rehash, tell: Callable[[str, int], None]) -> None:
    """
    Seal everything with the newest key and compute search hashes with the newest search key.

    `rehash` returns the search hashes for a row of each model. `tell` is called with the table
    and the number of rows that were changed.
    """
    for model in keyring.sealed_models():
        tell(model._meta.db_table, _reseal_rows(model))
    tell(Authenticator._meta.db_table, _reseal_second_factors())
    for model, columns in rehash.items():
        tell(f"{model._meta.db_table} (search)", rehash_rows(model, columns))
    _forget_old_keys()


def _reseal_rows(model: type[models.Model]) -> int:
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
        chunk = list(rows.order_by("pk")[:BATCH_SIZE])
        if not chunk:
            return done
        with transaction.atomic(), pgtrigger.ignore():
            done += sum(_reseal_row(row, fields) for row in chunk)
        after = chunk[-1].pk


def _is_old(field: EncryptedTextField, newest: bytes) -> RawSQL:
    column = f'"{field.model._meta.db_table}"."{field.column}"'
    return RawSQL(  # noqa: S611 - the names of our own columns
        f"length({column}) > 0 AND substring({column} from 1 for 2) <> %s",
        [newest],
        output_field=models.BooleanField(),
    )


def _reseal_row(row: models.Model, fields: list[EncryptedTextField]) -> int:
    """Seal a row again unless it changed since it was read; return the number of changed rows."""
    before = {field.name: Sealed(row.__dict__[field.attname] or b"") for field in fields}
    after = {field.name: field.seal_for(getattr(row, field.name), row) for field in fields}
    return type(row)._base_manager.filter(pk=row.pk, **before).update(**after)


def _reseal_second_factors() -> int:
    adapter = get_adapter()
    done = 0
    for authenticator in Authenticator.objects.order_by("pk").iterator(BATCH_SIZE):
        data = {
            name: adapter.encrypt(adapter.decrypt(value)) if name in SECRETS else value
            for name, value in authenticator.data.items()
        }
        if data != authenticator.data:
            done += Authenticator.objects.filter(
                pk=authenticator.pk, data=authenticator.data
            ).update(data=data)
    return done


def rehash_rows(model: type[models.Model], columns: Callable[[Any], dict[str, str]]) -> int:
    """
    Compute what the rows of a model are found by anew; return how many changed.

    A row that changes meanwhile is left alone: it was written with the new columns.
    """
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
    while chunk := list(model._base_manager.filter(pk__gt=after).order_by("pk")[:BATCH_SIZE]):
        yield chunk
        after = chunk[-1].pk


@transaction.atomic
def _forget_old_keys() -> None:
    """Delete the fingerprints of older keys, which nothing uses any more."""
    newest = [
        fingerprint
        for kind, version, fingerprint in keyring.fingerprints()
        if _is_newest(kind, version)
    ]
    search = next(
        fingerprint
        for kind, _, fingerprint in keyring.fingerprints()
        if kind == DataKey.Kind.SEARCH
    )
    newest = [*newest, search]
    DataKey.objects.exclude(fingerprint__in=newest).delete()
    audit.record(by=None, did=gettext_noop("sealed everything anew"), to=f"key:{newest_version()}")


def _is_newest(kind: str, version: int) -> bool:
    return kind == DataKey.Kind.FIELD and version == next(iter(field_keys()))
