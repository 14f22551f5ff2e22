"""What is to be told, and whether it was."""

import uuid
from datetime import datetime
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Area, User, people_within
from quarantine.models import Case


class MessageQuerySet(models.QuerySet["Message"]):
    """Questions about messages."""

    def visible_to(self, user: Any) -> Self:
        """Return the messages about the grids below the areas of `user`."""
        return self.filter(people_within(user, "grid__path"))

    def inbox(self) -> Self:
        """Return what stands in the portal's own inbox."""
        return self.filter(channel=Message.Channel.IN_APP, state=Message.State.SENT)

    def undelivered(self) -> Self:
        """Return what should have arrived outside and did not, or perhaps twice."""
        return self.filter(state__in=[Message.State.UNKNOWN, Message.State.FAILED])

    def waiting(self, at: datetime) -> Self:
        """Return what may be delivered: due, its hour has come, no other worker holds it."""
        return self.filter(state=Message.State.DUE, not_before__lte=at).filter(
            Q(leased_until=None) | Q(leased_until__lt=at)
        )


class Message(models.Model):
    """One thing told once: about a case, or a grid's digest, of a kind, on a day, by a channel."""

    class Kind(models.TextChoices):
        TEST_TOMORROW = "test_tomorrow", _("Test tomorrow")
        TEST_TODAY = "test_today", _("Test today")
        TEST_OVERDUE = "test_overdue", _("Test overdue")
        RELEASE_TODAY = "release_today", _("Release today")
        RELEASED = "released", _("Released")
        REFERRED = "referred", _("Passed to medical care")
        DIGEST = "digest", _("The grid's morning list")

    class Channel(models.TextChoices):
        IN_APP = "in_app", _("Inbox")
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")
        WECOM = "wecom", _("WeCom robot")
        DINGTALK = "dingtalk", _("DingTalk robot")

    class State(models.TextChoices):
        DUE = "due", _("Due")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        UNKNOWN = "unknown", _("Perhaps sent twice")
        FAILED = "failed", _("Not delivered")
        DROPPED = "dropped", _("No longer needed")

    # Also the idempotency key that outside channels are given.
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(
        Case,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("case"),
    )
    grid = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="messages", verbose_name=_("grid")
    )
    kind = models.CharField(_("kind"), max_length=15, choices=Kind)
    day = models.DateField(_("day"))
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DUE)
    not_before = models.DateTimeField(_("not before"))
    leased_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    detail = models.JSONField(_("detail"), default=dict)
    created_at = models.DateTimeField(_("made at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "day", "channel"], name="message_once_a_case"
            ),
            models.UniqueConstraint(
                fields=["grid", "kind", "day", "channel"],
                name="message_once_a_grid",
                condition=Q(case=None),
            ),
            models.CheckConstraint(
                name="message_sent_whole",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
            ),
        ]
        indexes = [
            models.Index(fields=["not_before"], name="message_waiting", condition=Q(state="due")),
            models.Index(
                fields=["grid", "-sent_at"], name="message_inbox", condition=Q(channel="in_app")
            ),
            models.Index(
                fields=["state"],
                name="message_trouble",
                condition=Q(state__in=["unknown", "failed"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel} on {self.day}"


class Reading(models.Model):
    """That somebody has read a message of the inbox."""

    message = models.ForeignKey(Message, on_delete=models.CASCADE, related_name="readings")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("reading")
        verbose_name_plural = _("readings")
        constraints = [models.UniqueConstraint(fields=["message", "user"], name="reading_once")]

    def __str__(self) -> str:
        return f"{self.user_id} read {self.message_id}"


class Heartbeat(models.Model):
    """When a sweep last ran through."""

    sweep = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.sweep} at {self.at:%F %T}"
