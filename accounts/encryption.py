"""
Personal data at rest.

AES-256-GCM with versioned keys; found again through keyed hashes with a second key.
"""

import base64
import hashlib
import hmac
import os
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django import forms
from django.conf import settings
from django.db import models

NONCE_BYTES = 12


@cache
def _ciphers() -> dict[int, AESGCM]:
    pairs = (entry.split(":", 1) for entry in settings.FIELD_KEYS)
    return {int(version): AESGCM(base64.urlsafe_b64decode(key)) for version, key in pairs}


def encrypt(text: str, *, context: str) -> bytes:
    """Return `text` sealed with the newest key; `context` binds it to its column."""
    version, cipher = next(iter(_ciphers().items()))
    nonce = os.urandom(NONCE_BYTES)
    return bytes([version]) + nonce + cipher.encrypt(nonce, text.encode(), context.encode())


def decrypt(sealed: bytes, *, context: str) -> str:
    """Return the text of `sealed`. Raise KeyError when its key is not configured."""
    cipher = _ciphers()[sealed[0]]
    return cipher.decrypt(
        sealed[1 : 1 + NONCE_BYTES], sealed[1 + NONCE_BYTES :], context.encode()
    ).decode()


def search_hash(value: str, *, context: str) -> str:
    """Return the keyed hash under which a normalised value is found again; "" for ""."""
    if not value:
        return ""
    return hmac.new(
        settings.SEARCH_KEY.encode(), f"{context}:{value}".encode(), hashlib.sha256
    ).hexdigest()


class EncryptedTextField(models.TextField):  # type: ignore[type-arg]  # not generic when run
    """Text that the database holds sealed."""

    def get_internal_type(self) -> str:
        """Return the kind of column: bytes."""
        return "BinaryField"

    def formfield(self, **kwargs: Any) -> Any:
        """Return a plain text input."""
        return super().formfield(**{"widget": forms.TextInput, **kwargs})

    @property
    def _context(self) -> str:
        return f"{self.model._meta.db_table}.{self.column}"

    def get_prep_value(self, value: Any) -> Any:
        """Return the sealed text; nothing is sealed as nothing."""
        value = super().get_prep_value(value)
        return encrypt(value, context=self._context) if value else b""

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Return the sealed text as the driver wants bytes."""
        if not prepared:
            value = self.get_prep_value(value)
        return connection.Database.Binary(value)

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> str:
        """Return the text that the database held sealed."""
        return decrypt(bytes(value), context=self._context) if value else ""

    def to_python(self, value: Any) -> str:
        """Return text, never None."""
        return value or ""

    def value_to_string(self, obj: models.Model) -> str:
        """Return the text, for serialisers."""
        return str(self.value_from_object(obj))
