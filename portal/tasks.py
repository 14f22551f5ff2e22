"""Where Celery looks for the tasks of the portal."""

from portal.exports.tasks import look_after_files, make_file

__all__ = ["look_after_files", "make_file"]
