"""The models of accounts, for Django to find; each stands with what it is about."""

from accounts.auditing.models import AuditEntry, AuditSeal, AuditWords
from accounts.exports.models import Export, ExportFile, ExportRequest
from accounts.keys.models import DataKey
from accounts.staff.models import Area, User

__all__ = [
    "Area",
    "AuditEntry",
    "AuditSeal",
    "AuditWords",
    "DataKey",
    "Export",
    "ExportFile",
    "ExportRequest",
    "User",
]
