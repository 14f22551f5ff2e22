"""Check that the configured keys are those that this database was sealed with."""

import hashlib
import hmac
import time
from collections.abc import Iterator

import structlog
from django.apps import apps
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import (
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connection,
    models,
    transaction,
)
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.keys.models import DataKey
from common.encryption import UnreadableError, field_keys, newest_version, sealed_fields

Kind = DataKey.Kind
KEY_BYTES = 32
RETRY_SECONDS = 2.0

log = structlog.get_logger(__name__)


class WrongKeysError(ImproperlyConfigured):
    """Keys without which the portal must not start, in one sentence."""


def check_once_reachable() -> None:
    """
    Check as soon as PostgreSQL answers.

    A process that ended instead would take the others with it: gunicorn's master gives up when a
    worker does not come up, and so does a service manager after a few starts.
    """
    while True:
        try:
            return check()
        except (InterfaceError, OperationalError) as error:
            log.warning("database_away", why=str(error).strip())
            connection.close()
            time.sleep(RETRY_SECONDS)


def check() -> None:
    """
    Refuse to start if a key is missing or wrong; store the fingerprint of each new one.

    The fingerprint of a key is the keyed hash of a fixed text.
    """
    current = fingerprints()
    if DataKey._meta.db_table not in connection.introspection.table_names():
        return  # before the first migration
    known = refuse_other_keys()
    if not known:
        for model in sealed_models():
            _refuse_unreadable(model)
    new = [each for each in current if each[2] not in {key.fingerprint for key in known}]
    if new:
        _remember(new)


def refuse_other_keys() -> list[DataKey]:
    """Refuse keys that are not those of this database, and return what it remembers of them."""
    current = fingerprints()
    known = list(DataKey.objects.all())
    for key in known:
        _refuse_unknown_key(key, current)
    return known


@transaction.atomic
def _remember(new: list[tuple[str, int, str]]) -> None:
    keys = [DataKey(kind=kind, version=number, fingerprint=digest) for kind, number, digest in new]
    DataKey.objects.bulk_create(keys, ignore_conflicts=True)
    audit.record(
        by=None,
        did=gettext_noop("took keys into use"),
        to=f"key:{newest_version()}",
        number=len(keys),
    )


def fingerprints() -> list[tuple[str, int, str]]:
    """Return kind, version and fingerprint of every configured key."""
    try:
        fields = field_keys()
    except ValueError:
        raise WrongKeysError(
            "FIELD_KEYS must be pairs such as 1:KEY, with keys as `python -m portal.keys` makes"
            " them, joined by commas."
        ) from None
    for version, key in fields.items():
        if not 0 < version < 256 or len(key) != KEY_BYTES:
            raise WrongKeysError(
                f"Key {version} of FIELD_KEYS is no key of {KEY_BYTES} bytes with a version from"
                " 1 to 255."
            )
    search = [key.encode() for key in settings.SEARCH_KEYS]
    return [
        *((Kind.FIELD.value, version, _fingerprint(key)) for version, key in fields.items()),
        *((Kind.SEARCH.value, 0, _fingerprint(key)) for key in search),
    ]


def newest_search_key() -> str:
    """Return the fingerprint of the search key used for new hashes."""
    return _fingerprint(settings.SEARCH_KEYS[0].encode())


def _fingerprint(key: bytes) -> str:
    return hmac.new(key, b"wangge: which key is this", hashlib.sha256).hexdigest()


def _refuse_unknown_key(key: DataKey, current: list[tuple[str, int, str]]) -> None:
    if (key.kind, key.version, key.fingerprint) in current:
        return
    if key.kind == Kind.SEARCH:
        raise WrongKeysError(
            "SEARCH_KEY lacks the key under which people are found in this database: give it"
            " again (docs/operations.md, Keys)."
        )
    version_known = any((kind, version) == (key.kind, key.version) for kind, version, _ in current)
    problem = (
        "is not the one that this database"
        if version_known
        else "is missing, under which this database"
    )
    raise WrongKeysError(
        f"Key {key.version} of FIELD_KEYS {problem} was sealed{' with' if version_known else ''}:"
        " give it again (docs/operations.md, Keys)."
    )


def sealed_models() -> Iterator[type[models.Model]]:
    """Yield the models that have sealed fields."""
    return (model for model in apps.get_models() if sealed_fields(model))


def _refuse_unreadable(model: type[models.Model]) -> None:
    """Raise WrongKeysError if a value cannot be opened, in a database without fingerprints."""
    for field in sealed_fields(model):
        try:
            with transaction.atomic():
                row = model._base_manager.exclude(**{field.name: ""}).first()
        except ProgrammingError:
            continue  # not made yet: a migration was killed, and is to go on
        try:
            getattr(row, field.name, None)
        except (KeyError, UnreadableError):
            raise WrongKeysError(
                "FIELD_KEYS does not open what this database holds: give the keys that it was"
                " filled with (docs/operations.md, Keys)."
            ) from None
