"""Everything that pages ask for is collected, and nothing else."""

import json
import re
from pathlib import Path

from django.conf import settings
from django.core.management import call_command
from pytest_django.fixtures import Settings

ROOT = Path(settings.BASE_DIR)
STORAGE = "django.contrib.staticfiles.storage"
ASKED = re.compile(r"""\{% static ['"]([^'"]+)['"] %\}""")


def test_what_pages_ask_for_is_collected_and_little_besides(
    settings: Settings, tmp_path: Path
) -> None:
    settings.STATIC_ROOT = tmp_path
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {
            "BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"
        },
    }
    call_command("collectstatic", interactive=False, verbosity=0)

    collected = set(json.loads((tmp_path / "staticfiles.json").read_text())["paths"])
    pages = [page.read_text() for page in (ROOT / "templates").rglob("*.html")]
    asked = {name for page in pages for name in ASKED.findall(page)}
    assert asked | {"django_htmx/htmx-2.min.js"} <= collected
    assert len(collected) <= len(asked) + 8  # maps, fonts, what scripts fetch
