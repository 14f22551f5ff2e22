"""Tasks of the portal, where Celery looks for them."""

from portal.exports.tasks import look_after_files, make_file

__all__ = ["look_after_files", "make_file"]
