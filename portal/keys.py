"""The secrets of an installation: from the environment, or made once for a first try."""

import base64
import os
import secrets
import tempfile
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

NAMES = ("SECRET_KEY", "FIELD_KEYS", "SEARCH_KEY")


def read_secrets(env: environ.Env, data: Path, *, production: bool) -> None:
    """
    Put the missing secrets into the environment from `data`, where a first start makes them.

    Production makes none: keys that lie beside the data they protect protect nothing.
    """
    missing = [name for name in NAMES if not env(name, default="")]
    if missing and production:
        raise ImproperlyConfigured(
            f"Set {', '.join(missing)} in the environment: production makes no keys of its own"
            " (docs/operations.md, Keys)."
        )
    if missing:
        kept = data / "keys.env"
        if not kept.exists():
            _make(kept)
        env.read_env(str(kept))


def new_secrets() -> dict[str, str]:
    """Return new secrets, one for each name."""
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "FIELD_KEYS": f"1:{base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()}",
        "SEARCH_KEY": secrets.token_urlsafe(32),
    }


def _make(kept: Path) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=kept.parent)  # readable by the owner alone
    with os.fdopen(handle, "w") as file:
        file.writelines(f"{key}={value}\n" for key, value in new_secrets().items())
    try:
        os.link(name, kept)  # of two first starts at once, one wins
    except FileExistsError:
        pass
    finally:
        Path(name).unlink()


if __name__ == "__main__":
    for key, value in new_secrets().items():
        print(f"{key}={value}")  # noqa: T201 - its purpose
