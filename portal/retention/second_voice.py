"""The one call by which the purge asks whether somebody may be the second voice."""

from typing import cast

from accounts.exports import requests
from accounts.exports.models import ExportRequest
from accounts.staff.models import User
from portal.retention.models import Purge


def unfit(*, purge: Purge, by: User) -> str:
    """
    Return why `by` may not agree to a purge, "" if they may.

    The rule is that of unmasked exports: it reads who asked, for whom they worked, and the area.
    """
    return requests.unfit(request=cast(ExportRequest, purge), by=by)
