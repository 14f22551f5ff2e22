"""Write docs/access.md anew: python -m tests.portal.access."""

import os

import django

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    django.setup()
    from django.utils import translation

    from tests.portal.test_access import DOCUMENT, document

    with translation.override("en"):
        DOCUMENT.write_text(document(), encoding="utf-8")
