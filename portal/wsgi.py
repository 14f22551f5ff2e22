"""The WSGI application that gunicorn serves."""

import gc
import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
# What is loaded now stays: no collection has to walk it, now or later, which stopped a page for
# 0.2 s.
gc.disable()

application = get_wsgi_application()

from django.db import connections  # noqa: E402

from accounts.keys import keyring  # noqa: E402 - once the applications are there

# Who cannot read what the database holds, or would write what nobody else can, serves nothing.
keyring.check_once_reachable()
# The workers are forked from here: two that shared a connection would read each other's answers.
connections.close_all()

gc.freeze()
gc.enable()
