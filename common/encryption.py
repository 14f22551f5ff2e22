"""
Encryption of personal data at rest.

AES-256-GCM with versioned keys; each value is bound to its column and row, and opens nowhere else.
Values are found through keyed hashes (HMAC-SHA-256) with a second key.
"""

import base64
import hashlib
import hmac
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django import forms
from django.conf import settings
from django.db import models
from django.db.models.query_utils import DeferredAttribute

NONCE_BYTES = 12
# Precedes the version of the key in values bound to their row; those before 2022-12 lack it.
FOR_ITS_ROW = b"\0"
VERSION_AT = len(FOR_ITS_ROW)  # the byte of a sealed value with the version of its key


class UnreadableError(ValueError):
    """A sealed value cannot be opened: it was altered, or belongs to another row or column."""


@cache
def _keys(configured: tuple[str, ...]) -> dict[int, bytes]:
    pairs = (entry.split(":", 1) for entry in configured)
    return {int(version): base64.urlsafe_b64decode(key) for version, key in pairs}


@cache
def _ciphers(configured: tuple[str, ...]) -> dict[int, AESGCM]:
    return {version: AESGCM(key) for version, key in _keys(configured).items()}


def field_keys() -> dict[int, bytes]:
    """Return the keys of FIELD_KEYS by version, the newest first."""
    return _keys(tuple(settings.FIELD_KEYS))


def newest_version() -> int:
    """Return the version of the key used for sealing."""
    return next(iter(field_keys()))


def encrypt(text: str, *, context: str) -> bytes:
    """Return `text` sealed with the newest key; opening it needs the same `context`."""
    version, cipher = next(iter(_ciphers(tuple(settings.FIELD_KEYS)).items()))
    nonce = os.urandom(NONCE_BYTES)
    return bytes([version]) + nonce + cipher.encrypt(nonce, text.encode(), context.encode())


def decrypt(sealed: bytes, *, context: str) -> str:
    """Return the text of `sealed`. Raise KeyError when its key is not configured."""
    cipher = _ciphers(tuple(settings.FIELD_KEYS))[sealed[0]]
    nonce, text = sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :]
    try:
        return cipher.decrypt(nonce, text, context.encode()).decode()
    except InvalidTag:
        raise UnreadableError(f"A value of {context.partition(':')[0]} does not open.") from None


def search_hashes(value: str, *, context: str) -> list[str]:
    """Return the hashes of a normalised value by every search key, [] for ""."""
    return [_hash(key, value, context) for key in settings.SEARCH_KEYS] if value else []


def search_hash(value: str, *, context: str) -> str:
    """Return the hash of a normalised value by the newest search key, "" for ""."""
    return _hash(settings.SEARCH_KEYS[0], value, context) if value else ""


def _hash(key: str, value: str, context: str) -> str:
    return hmac.new(key.encode(), f"{context}:{value}".encode(), hashlib.sha256).hexdigest()


def hasher(*, context: str, search_key: str = "") -> Callable[[str], str]:
    """
    Return a function that hashes like `search_hash`, by the newest search key unless given.

    Faster for many values: the key is prepared once.
    """
    key = search_key or settings.SEARCH_KEYS[0]
    prepared = hmac.new(key.encode(), f"{context}:".encode(), "sha256")

    def hashed(value: str) -> str:
        if not value:
            return ""
        of_value = prepared.copy()
        of_value.update(value.encode())
        return of_value.hexdigest()

    return hashed


def _nonces() -> Iterator[bytes]:
    """Yield random nonces, read from the kernel a thousand at a time."""
    while True:
        drawn = os.urandom(NONCE_BYTES * 1_000)
        for start in range(0, len(drawn), NONCE_BYTES):
            yield drawn[start : start + NONCE_BYTES]


def sign(data: bytes, *, context: str) -> bytes:
    """Return the signature of `data` with the newest key."""
    version, key = next(iter(field_keys().items()))
    return bytes([version]) + _mac(key, data, context)


def is_signed(data: bytes, proof: bytes, *, context: str) -> bool | None:
    """Return whether `proof` is a signature of `data`; None if its key is no longer configured."""
    version, keys = proof[0] if proof else 0, field_keys()
    if key := keys.get(version):
        return hmac.compare_digest(proof[1:], _mac(key, data, context))
    return None if 0 < version < min(keys) else False


def _mac(key: bytes, data: bytes, context: str) -> bytes:
    return hmac.digest(hmac.digest(key, context.encode(), "sha256"), data, "sha256")


class Sealed(bytes):
    """A value as the database holds it."""


class Unsealing(DeferredAttribute):
    """Descriptor that opens a sealed value on first access, with the row it belongs to."""

    field: "EncryptedTextField"

    def __get__(self, instance: models.Model | None, cls: Any = None) -> Any:
        """Return the text."""
        value = super().__get__(instance, cls)
        if instance is not None and isinstance(value, Sealed):
            value = self.field.unseal(value, instance)
            self.__set__(instance, value)
        return value

    def __set__(self, instance: Any, value: Any) -> None:
        """Store a text, or a sealed value until it is accessed."""
        instance.__dict__[self.field.attname] = value


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # not generic when run
    """
    Text that the database stores sealed, bound to its column and row.

    `bound_to` names columns that are known before the row is stored and never change. Queries
    do not know the row: `values_list` returns sealed values, and `update` needs `sealed`.
    """

    descriptor_class = Unsealing

    def __init__(self, *args: Any, bound_to: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.bound_to = tuple(bound_to)

    def deconstruct(self) -> Any:
        """Return the arguments for migrations."""
        name, path, args, kwargs = super().deconstruct()
        return name, path, args, {**kwargs, "bound_to": list(self.bound_to)}

    def get_internal_type(self) -> str:
        """Return the type of a column of bytes."""
        return "BinaryField"

    def formfield(self, **kwargs: Any) -> Any:
        """Return a plain text input."""
        return super().formfield(**{"widget": forms.TextInput, **kwargs})

    def seal(self, text: str, *row: object) -> Sealed:
        """Return `text` sealed for the row with these values of `bound_to`; "" as no bytes."""
        if not text:
            return Sealed()
        return Sealed(FOR_ITS_ROW + encrypt(text, context=self._context(row)))

    def seal_for(self, text: str, row: models.Model) -> Sealed:
        """Return `text` sealed for `row`."""
        return self.seal(text, *self._row(row))

    def sealer(self) -> Callable[[str, str], bytes]:
        """Return a faster `seal` for many texts; it takes the values of `bound_to` as text."""
        version, cipher = next(iter(_ciphers(tuple(settings.FIELD_KEYS)).items()))
        head, column = FOR_ITS_ROW + bytes([version]), f"{self._column}:"
        encrypted, nonces = cipher.encrypt, _nonces()

        def seal(text: str, row: str) -> bytes:
            if not text:
                return b""
            nonce = next(nonces)
            return head + nonce + encrypted(nonce, text.encode(), (column + row).encode())

        return seal

    def unseal(self, value: Sealed, row: models.Model) -> str:
        """Return the text that was sealed for `row`."""
        return self.open(value, *self._row(row))

    def open(self, value: bytes, *row: object) -> str:
        """Return the text that was sealed for the row with these values of `bound_to`."""
        if not value:
            return ""
        if value.startswith(FOR_ITS_ROW):
            return decrypt(value[1:], context=self._context(row))
        return decrypt(value, context=self._column)

    @property
    def _column(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def _context(self, row: Sequence[object]) -> str:
        return ":".join((self._column, *map(_context_part, row)))

    def _row(self, row: models.Model) -> tuple[object, ...]:
        return tuple(getattr(row, name) for name in self.bound_to)

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        """Return the value sealed for the row being saved."""
        value = model_instance.__dict__.get(self.attname)
        return value if isinstance(value, Sealed) else self.seal_for(value or "", model_instance)

    def get_prep_value(self, value: Any) -> Any:
        """Return the sealed value; refuse plain text, whose row is unknown here."""
        if value and not isinstance(value, Sealed):
            raise TypeError(f"Seal {self._column} for its row (common.encryption.sealed).")
        return bytes(value or b"")

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the sealed value as bytes for the driver."""
        if not prepared:
            value = self.get_prep_value(value)
        return connection.Database.Binary(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Return the sealed value."""
        return Sealed(value) if value else ""

    def to_python(self, value: Any) -> Any:
        """Return text, never None."""
        return value or ""

    def value_to_string(self, obj: models.Model) -> str:
        """Return the text, for serialisers."""
        return str(getattr(obj, self.attname))


def sealed(row: models.Model, **values: Any) -> dict[str, Any]:
    """Return `values` for an `update` of `row`, with the values of sealed fields sealed."""
    fields = {field.name: field for field in sealed_fields(type(row))}
    return {
        name: fields[name].seal_for(value, row) if name in fields else value
        for name, value in values.items()
    }


def sealed_fields(model: type[models.Model]) -> list[EncryptedTextField]:
    """Return the sealed fields of `model`."""
    return [field for field in model._meta.fields if isinstance(field, EncryptedTextField)]


def _context_part(value: object) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value)
