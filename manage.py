#!/usr/bin/env python
"""Django's command line."""

import gc
import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line

if __name__ == "__main__":
    gc.set_threshold(100_000, 20, 100)  # what is loaded stays: looking through it takes long
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.exit(f"The portal is not set up: {error}")
