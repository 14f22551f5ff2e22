"""The models of this application, imported here for Django."""

from accounts.activation.models import ActivationCode
from accounts.auditing.models import AuditEntry, AuditLink, AuditPending, AuditWords
from accounts.exports.models import Export, ExportFile, ExportRequest
from accounts.keys.models import DataKey
from accounts.limits.models import Limit
from accounts.proposals.models import AccountProposal
from accounts.staff.models import Area, User
from accounts.voices.models import Intervention

__all__ = [
    "AccountProposal",
    "ActivationCode",
    "Area",
    "AuditEntry",
    "AuditLink",
    "AuditPending",
    "AuditWords",
    "DataKey",
    "Export",
    "ExportFile",
    "ExportRequest",
    "Intervention",
    "Limit",
    "User",
]
