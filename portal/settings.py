"""
Settings, all of them, from the environment.

Each has a safe default for development except the secrets, which production must give.
"""

import logging
from datetime import time
from pathlib import Path

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _
from whitenoise.compress import Compressor

from common import replica
from portal import engines, keys, logs, servers

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()

# Where the embedded servers, the keys of a first start and the logs live.
DATA_DIR = Path(env("WANGGE_DATA", default=str(BASE_DIR / "var"))).resolve()
PRODUCTION = env.bool("WANGGE_PRODUCTION", default=False)
DEMO = env.bool("WANGGE_DEMO", default=not PRODUCTION)
if PRODUCTION and DEMO:
    raise ImproperlyConfigured(
        "Unset WANGGE_DEMO: in production there are no demo people and no clock to set."
    )
DEBUG = env.bool("DEBUG", default=False)

# Missing secrets come from DATA_DIR, where a first start makes them; production must be given its.
keys.read_secrets(env, DATA_DIR, production=PRODUCTION)
SECRET_KEY = env("SECRET_KEY")
# Personal data at rest: "version:key" pairs, and keys for the search hashes; newest first.
FIELD_KEYS = env.list("FIELD_KEYS")
SEARCH_KEYS = env.list("SEARCH_KEY")
# Where each head of the audit's chain is noted, to be kept outside (docs/privacy.md); and an
# authority that stamps heads, with the roots that its certificate leads to.
AUDIT_ANCHORS = Path(env("AUDIT_ANCHORS", default=str(DATA_DIR / "audit-anchors.txt")))
# Opens /healthz/worker from elsewhere (docs/operations.md); without it only the machine itself.
HEALTH_KEY = env("HEALTH_KEY", default="")
AUDIT_TSA_URL = env("AUDIT_TSA_URL", default="")
_tsa_roots = env("AUDIT_TSA_ROOTS", default="")
AUDIT_TSA_ROOTS = Path(_tsa_roots) if _tsa_roots else None
if AUDIT_TSA_URL and AUDIT_TSA_ROOTS is None:
    raise ImproperlyConfigured(
        "Set AUDIT_TSA_ROOTS: a stamp that nobody can check proves nothing."
    )
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[] if PRODUCTION else ["*"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "portal",
    "reminders",
    "quarantine",
    "testing",
    "residents",
    "policy",
    "accounts",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "django_filters",
    "django_htmx",
    "django_structlog",
    "pgtrigger",
    "treebeard",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "common.replica.ReadYourWrites",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.middleware.NoStore",
    "accounts.middleware.SignedOutFragment",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.middleware.SessionEnd",
    "accounts.middleware.RequiredSetup",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "csp.middleware.CSPMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "portal.middleware.RequestLog",
    "portal.middleware.PlainText",
    "portal.retention.middleware.FrozenData",
]

ROOT_URLCONF = "portal.urls"
WSGI_APPLICATION = "portal.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "portal.context_processors.portal",
                "reminders.context_processors.reminders",
            ],
        },
    },
]
FORM_RENDERER = "portal.renderers.Renderer"
CRISPY_ALLOWED_TEMPLATE_PACKS = CRISPY_TEMPLATE_PACK = "bootstrap5"

# PostgreSQL and Redis: the given ones, else those that `manage.py up` starts in DATA_DIR.
EMBEDDED = engines.embedded(env)
if PRODUCTION and any(EMBEDDED.values()):
    raise ImproperlyConfigured(
        "Set DATABASE_URL and REDIS_URL: the servers that come with the portal are for trying out"
        " (docs/operations.md)."
    )
DATABASE_URL, REDIS_URL = engines.addresses(env, DATA_DIR)
DATABASES = {"default": servers.database(env, DATABASE_URL)}
# Lists and overviews may be read from a copy that follows, while it is no further behind.
REPLICA_LAG_SECONDS = env.int("REPLICA_LAG_SECONDS", default=10)
if REPLICA_URL := env("DATABASE_REPLICA_URL", default=""):
    DATABASES[replica.ALIAS] = servers.replica(env, REPLICA_URL)
DATABASE_ROUTERS = ["common.replica.Router"]
# The role that migrates owns the tables; the one that serves may only add to the audit.
DATABASE_MIGRATION_URL = engines.migration_address(env, DATA_DIR)
SERVING_ROLE = DATABASES["default"].get("USER") if DATABASE_MIGRATION_URL else None
if DATABASE_MIGRATION_URL and not SERVING_ROLE:
    raise ImproperlyConfigured("Name the role that serves in DATABASE_URL: postgres://ROLE@…")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "common.cache.Cache",
        **servers.cache(REDIS_URL),
    }
}

_broker = servers.broker(REDIS_URL)
CELERY_BROKER_URL = _broker.url
CELERY_BROKER_TRANSPORT_OPTIONS = _broker.options
CELERY_BROKER_USE_SSL = _broker.tls
CELERY_TIMEZONE = "Asia/Shanghai"
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_DB_REUSE_MAX = 500
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# What looks at every case or row has a worker of its own, so that no reminder waits behind it.
NIGHTLY_QUEUE = "nightly"
CELERY_TASK_ROUTES = {
    "accounts.tasks.check_audit": {"queue": NIGHTLY_QUEUE},
    "quarantine.tasks.complete_cases_that_are_over": {"queue": NIGHTLY_QUEUE},
    "quarantine.tasks.check_every_case_follows_from_law": {"queue": NIGHTLY_QUEUE},
    "residents.rosters.tasks.work_on_roster": {"queue": NIGHTLY_QUEUE},
    "portal.exports.tasks.make_file": {"queue": NIGHTLY_QUEUE},
    "portal.retention.tasks.purge_outbreak": {"queue": NIGHTLY_QUEUE},
}

# Reminders outside the portal (docs/operations.md): a channel without settings is not used.
SITE_URL = env("SITE_URL", default="").rstrip("/")
SMS_GATEWAY = env.json("SMS_GATEWAY", default={})
ROBOTS = env.json("ROBOTS", default=[])
EMAIL_URL = env("EMAIL_URL", default="")
EMAIL_CONFIG = env.email_url_config(EMAIL_URL or "dummymail:")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = env("DEFAULT_FROM_EMAIL", default="wangge@localhost")
QUIET_HOURS = tuple(
    time.fromisoformat(each) for each in env("QUIET_HOURS", default="21:00-07:30").split("-")
)
DIGEST_AT = time.fromisoformat(env("DIGEST_AT", default="07:30"))
# Longer than a worker needs for one sending; then another may take it over.
LEASE_SECONDS = env.int("LEASE_SECONDS", default=60)
# Where each host notes how far sending has come, so that a restored database is noticed.
OUTBOX_NOTE = DATA_DIR / "outbox"
# A run ends before the next is due, so that the worker has time for the sweep.
DELIVERY_SECONDS = 12.0

# What waits longer than its interval is let go: the next one asks for the same.
CELERY_BEAT_SCHEDULE: dict[str, dict[str, object]] = {
    "sweep": {
        "task": "reminders.tasks.sweep",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "digests": {
        "task": "reminders.tasks.digests",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    **{
        f"deliver-{channel}": {
            "task": "reminders.tasks.deliver",
            "schedule": 15.0,
            "kwargs": {"channel": channel},
            "options": {"expires": 14},
        }
        for channel in ("sms", "email", "wecom", "dingtalk")
    },
    "seal": {
        "task": "accounts.tasks.seal_audit",
        "schedule": 300.0,
        "options": {"expires": 290},
    },
    "stamp": {
        "task": "accounts.tasks.stamp_audit",
        "schedule": 600.0,
        "options": {"expires": 590},
    },
    "limits": {
        "task": "accounts.tasks.forget_limits",
        "schedule": crontab(hour=4, minute=10),
    },
    "verify": {
        "task": "accounts.tasks.check_audit",
        "schedule": crontab(hour=3, minute=40),
    },
    # Costs nothing where no case is outdated; a decision is felt within a quarter of a minute.
    "follow": {
        "task": "quarantine.tasks.follow_the_law",
        "schedule": 15.0,
        "options": {"expires": 14},
    },
    "escalate": {
        "task": "quarantine.tasks.escalate_todos",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "rosters": {
        "task": "residents.rosters.tasks.resume_rosters",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "exports": {
        "task": "portal.exports.tasks.look_after_files",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "purges": {
        "task": "portal.retention.tasks.resume_purges",
        "schedule": 60.0,
        "options": {"expires": 55},
    },
    "old-rosters": {
        "task": "residents.rosters.tasks.expire_rosters",
        "schedule": crontab(hour=1, minute=40),
    },
    "complete": {
        "task": "quarantine.tasks.complete_cases_that_are_over",
        "schedule": crontab(hour=0, minute=20),
    },
    "explain": {
        "task": "quarantine.tasks.check_every_case_follows_from_law",
        "schedule": crontab(hour=3, minute=10),
    },
}

# What the audit rests on: each change of these rows is a link of its chain, but for the columns
# that prove nothing (`accounts.auditing.witness`).
WITNESSED = {
    "accounts.AuditEntry": (),
    "accounts.AuditWords": (),
    "accounts.DataKey": (),
    "accounts.User": ("password", "last_login", "email"),
    "accounts.User_areas": (),
    "accounts.AccountProposal": (),
    "accounts.Intervention": (),
    "accounts.Export": (),
    "accounts.ExportRequest": ("answer_seen_at",),
    "policy.Activation": (),
    "policy.TransitionChoice": (),
    "policy.StoredDocument": (),
    "policy.Justification": (),
    "policy.ApiClient": (),
    "residents.Opening": (),
    "residents.Closing": (),
    # How far a purge is, which its certificate repeats.
    "portal.Purge": ("before", "removed", "head", "touched_at"),
    "portal.RetentionTerm": (),
}

# The pages that serve clauses (`page:` of a document's lines), by the name of their address.
CLAUSE_PAGES = {"key_people": "key_people", "needs": "need_list", "vaccination": "key_people"}

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.adapter.SignIn"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
    {"NAME": "accounts.passwords.NotOfThePortalsWords"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "home"
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
# Limits count by address, which the proxies in front pass on.
ALLAUTH_TRUSTED_PROXY_COUNT = env.int("TRUSTED_PROXIES", default=1 if PRODUCTION else 0)
ACCOUNT_SESSION_REMEMBER = True
# accounts/limits slows guessing down: without the cache, and not for the owner.
ACCOUNT_RATE_LIMITS = False
ACCOUNT_FORMS = {"change_password": "accounts.limits.forms.ChangePasswordForm"}
MFA_FORMS = {
    "authenticate": "accounts.limits.forms.AuthenticateForm",
    "reauthenticate": "accounts.limits.forms.ReauthenticateForm",
}
DEVICE_COOKIE_NAME, VENUE_COOKIE_NAME = "device", "door-venue"
# Only trying out may do without.
SECOND_FACTOR_REQUIRED = PRODUCTION or env.bool("SECOND_FACTOR_REQUIRED", default=not DEMO)
MFA_ADAPTER = "accounts.adapter.MFAAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Wangge"

LANGUAGE_CODE = "zh-hans"
LANGUAGES = [("zh-hans", "简体中文"), ("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "Asia/Shanghai"
USE_TZ = True
SITE_NAME = _("Wangge")

STATIC_URL = "static/"
STATICFILES_DIRS = [
    BASE_DIR / "static",
    ("bootstrap", BASE_DIR / "node_modules/bootstrap/dist"),
    ("bootstrap-icons", BASE_DIR / "node_modules/bootstrap-icons/font"),
    ("echarts", BASE_DIR / "node_modules/echarts/dist"),
]
STATICFILES_FINDERS = ["portal.static_files.OwnFiles", "portal.static_files.PackageFiles"]
# Trying out needs no collectstatic; production names each file by its content.
WHITENOISE_USE_FINDERS = not PRODUCTION
if PRODUCTION:
    STATIC_ROOT = Path(env("STATIC_ROOT", default=str(DATA_DIR / "static")))
    STORAGES = {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
    }
    # Most of the bytes are maps for debuggers, and compressing all twice took minutes.
    WHITENOISE_KEEP_ONLY_HASHED_FILES = True
    WHITENOISE_SKIP_COMPRESS_EXTENSIONS = (*Compressor.SKIP_COMPRESS_EXTENSIONS, "map")

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    },
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# What a page says once may name somebody: kept with the session, in no cookie.
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = LANGUAGE_COOKIE_SAMESITE = "Lax"
# A session ends after a day, of who sees more than a grid after half of one, however much it is
# used; and earlier when nothing is asked for: grid staff sign in once a shift, outdoors; a desk
# left alone is closed after half an hour.
SESSION_COOKIE_AGE = 24 * 3600
SESSION_HOURS = {"grid_staff": 24, "supervisor": 12, "administrator": 12, "auditor": 12}
IDLE_MINUTES = {"grid_staff": 8 * 60, "supervisor": 30, "administrator": 30, "auditor": 30}
if PRODUCTION:
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = True
    SESSION_COOKIE_NAME = "__Host-sessionid"
    CSRF_COOKIE_NAME = "__Host-csrftoken"
    LANGUAGE_COOKIE_NAME = "__Host-language"
    DEVICE_COOKIE_NAME = "__Host-device"
    VENUE_COOKIE_NAME = "__Host-door-venue"

LOGGING = logs.configure(production=PRODUCTION, level=env("LOG_LEVEL", default="INFO"))
DJANGO_STRUCTLOG_CELERY_ENABLED = True
DJANGO_STRUCTLOG_IP_LOGGING_ENABLED = False
DJANGO_STRUCTLOG_STATUS_START_LOG_LEVEL = logging.DEBUG
DJANGO_STRUCTLOG_STATUS_4XX_LOG_LEVEL = logging.INFO
