"""Tasks of the portal, where Celery looks for them."""

from portal.exports.tasks import look_after_files, make_file
from portal.retention.tasks import purge_outbreak, resume_purges

__all__ = ["look_after_files", "make_file", "purge_outbreak", "resume_purges"]
