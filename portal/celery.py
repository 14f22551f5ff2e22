"""The Celery application. Tasks only start work; what is due stands in the database."""

import os

from celery import Celery
from celery.signals import beat_init, setup_logging, worker_init
from django.core.exceptions import ImproperlyConfigured
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")

app = Celery("wangge")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.steps["worker"].add(DjangoStructLogInitStep)


@setup_logging.connect
def log_as_django_does(**_: object) -> None:
    """Keep Celery from setting logging up its own way."""


@worker_init.connect
@beat_init.connect
def refuse_wrong_keys(**_: object) -> None:
    """End a worker or beat that was given other keys than the database was filled with."""
    from accounts.keys import keyring

    try:
        keyring.check_once_reachable()
    except ImproperlyConfigured as error:
        raise SystemExit(f"The portal is not set up: {error}") from None
