"""Clients of the API of questions, each with a key of its own."""

import hashlib
import secrets
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.staff.models import User
from common.errors import RefusedError
from policy.models import ApiClient


class NameTakenError(RefusedError):
    """Two clients of one name."""

    field = "name"


def key_hash(key: str) -> str:
    """Return the hash of a key that is stored; a random key of 256 bits needs no slow hash."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def make_client(*, name: str, at: datetime, by: User) -> tuple[ApiClient, str]:
    """Create a client and return it with its key, which is stored as a hash only."""
    key = secrets.token_urlsafe(32)
    try:
        with transaction.atomic():
            client = ApiClient.objects.create(
                name=name, key_hash=key_hash(key), created_by=by, created_at=at
            )
    except IntegrityError as taken:
        raise NameTakenError(_("A client of this name exists already: choose another.")) from taken
    audit.record(by=by, did=gettext_noop("made an API client"), to=client)
    return client, key


@transaction.atomic
def revoke_client(*, client: ApiClient, at: datetime, by: User) -> None:
    """Revoke a client's key; a second call changes nothing."""
    if ApiClient.objects.filter(pk=client.pk, revoked_at=None).update(revoked_at=at):
        audit.record(by=by, did=gettext_noop("revoked an API client"), to=client)


def client_of(key: str) -> ApiClient | None:
    """Return the client whose key this is, None for an unknown or revoked one."""
    return ApiClient.objects.filter(key_hash=key_hash(key), revoked_at=None).first()
