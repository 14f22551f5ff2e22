"""The models of this application, imported here for Django."""

from accounts.auditing.models import AuditEntry, AuditLink, AuditPending, AuditWords
from accounts.exports.models import Export, ExportFile, ExportRequest
from accounts.keys.models import DataKey
from accounts.limits.models import Limit
from accounts.staff.models import Area, User

__all__ = [
    "Area",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "AuditWords",
    "DataKey",
    "Export",
    "ExportFile",
    "ExportRequest",
    "Limit",
    "User",
]
