"""What `collectstatic` collects: of packages with hundreds of files those that pages ask for."""

from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any

from django.contrib.staticfiles.finders import AppDirectoriesFinder, FileSystemFinder

# A map stands beside a file that names it, or it could not be named by its content.
SERVED = (
    *("css/*", "img/*", "js/*"),
    *("bootstrap/css/bootstrap.min.css*", "bootstrap/js/bootstrap.bundle.min.js*"),
    *("bootstrap-icons/bootstrap-icons.min.css", "bootstrap-icons/fonts/*"),
    "echarts/echarts.common.min.js",
    "django_htmx/htmx-2.min.js",
)


def is_served(path: str) -> bool:
    """Return whether a page asks for a static file."""
    return any(fnmatch(path, pattern) for pattern in SERVED)


class OwnFiles(FileSystemFinder):
    """The portal's own files, and those of the front-end packages."""

    def list(self, ignore_patterns: Any) -> Iterator[Any]:
        """Yield what pages ask for."""
        for path, storage in super().list(ignore_patterns):
            prefix = getattr(storage, "prefix", "") or ""
            if is_served(f"{prefix}/{path}".lstrip("/")):
                yield path, storage


class PackageFiles(AppDirectoriesFinder):
    """The files of Python packages."""

    def list(self, ignore_patterns: Any) -> Iterator[Any]:
        """Yield what pages ask for."""
        return ((path, at) for path, at in super().list(ignore_patterns) if is_served(path))
