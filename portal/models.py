"""The models of this application, imported here for Django."""

from portal.retention.models import Purge, RetentionTerm

__all__ = ["Purge", "RetentionTerm"]
