"""The real settings, with what makes tests quick."""

import os
from pathlib import Path

from portal import servers
from portal.settings import *  # noqa: F403
from portal.settings import CACHES, DATA_DIR, DATABASE_URL, DATABASES, REDIS_URL, env
from tests import patience

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # of the demo, before a first sign-in
]
# A test that looks at the audit's anchors names a file of its own: databases are many.
AUDIT_ANCHORS = Path(os.devnull)
OUTBOX_NOTE = DATA_DIR / f"outbox-{os.getpid()}"
# On a busy machine nothing is late: what runs out is let run out by the test.
LEASE_SECONDS = DELIVERY_SECONDS = EMAIL_TIMEOUT = patience.SECONDS
MFA_TOTP_TOLERANCE = patience.SECONDS // 30
CELERY_TASK_ALWAYS_EAGER = CELERY_TASK_EAGER_PROPAGATES = True
# Every client would look through all static files first.
WHITENOISE_AUTOREFRESH = True
# Where databases are made: past the pooler, where DATABASE_URL leads to one.
DIRECT_URL = os.environ.get("TESTS_DATABASE_URL") or DATABASE_URL
DIRECT = {"HOST": "", "PORT": "", "USER": "", "PASSWORD": "", "OPTIONS": {}}
DIRECT.update(servers.database(env, DIRECT_URL))
# The threads of the live server must not hold the database when it is to be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0
# Each worker empties its cache after each test.
_worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
CACHES["default"].update(servers.cache(REDIS_URL, database=servers.CACHE + _worker))
