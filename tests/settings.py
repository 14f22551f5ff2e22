"""The real settings, with what makes tests quick."""

from portal.settings import *  # noqa: F403
from portal.settings import DATABASES

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
CELERY_TASK_ALWAYS_EAGER = CELERY_TASK_EAGER_PROPAGATES = True
# The threads of the live server must not hold the database when it is to be dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0
