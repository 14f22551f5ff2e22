"""
The morning's digest in a WeCom or DingTalk group, sent by the group's robot.

Both answer every request with status 200, and `errcode` says whether the text was accepted.
"""

import base64
import hashlib
import hmac
import time
from typing import Any

from django.conf import settings
from django.db.models import Q

from accounts.staff.models import Area
from reminders import digest
from reminders.channels import web
from reminders.channels.errors import NotSentError
from reminders.models import Message


def reaches(channel: str) -> Q:
    """Return the condition on grids that they or an area above have a robot of `channel`."""
    codes = [robot["area"] for robot in settings.ROBOTS if robot["channel"] == channel]
    condition = Q(pk__in=[])
    for path in Area.objects.filter(code__in=codes).values_list("path", flat=True):
        condition |= Q(path__startswith=path)
    return condition


def send(message: Message) -> None:
    """Send a grid's digest by the robot of the nearest area."""
    robot = _nearest(message.grid, message.channel)
    _, text = digest.compose(message)
    answer = web.post(
        robot["url"],
        params=_signature(robot["secret"]) if robot.get("secret") else None,
        json={"msgtype": "text", "text": {"content": text}},
    )
    web.expect(answer, {"errcode": 0})


def _nearest(grid: Area, channel: str) -> dict[str, Any]:
    robots = {robot["area"]: robot for robot in settings.ROBOTS if robot["channel"] == channel}
    paths = [grid.path[:end] for end in range(Area.steplen, len(grid.path) + 1, Area.steplen)]
    area = Area.objects.filter(code__in=robots, path__in=paths).order_by("-path").first()
    if area is None:
        raise NotSentError("no robot")
    return dict(robots[area.code])


def _signature(secret: str) -> dict[str, str]:
    """Return the parameters for DingTalk robots with a signature."""
    stamp = str(round(time.time() * 1000))
    code = hmac.new(secret.encode(), f"{stamp}\n{secret}".encode(), hashlib.sha256).digest()
    return {"timestamp": stamp, "sign": base64.b64encode(code).decode()}
