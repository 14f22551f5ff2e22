"""
Messages, their states, and changes to pass on.

A message by an outside channel goes through these states; leases use the database's clock, not a
worker's clock or the demo's day:

    due ── claimed: leased, fence + 1 ── begun ──> sending ──> sent
     ^                                               │ │
     │<───────── certainly not sent: retry ──────────┘ ├──> failed    after the last attempt
     │<── lease over, the gateway honours keys ────────┤
     └──> dropped: no longer needed                    └──> unknown   lease over, no such keys
"""

import uuid
from datetime import date
from typing import Any, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scope import people_within
from accounts.staff.models import Area, User
from accounts.withdrawal import set_together
from quarantine.models import Case, Plan
from quarantine.todo.models import Todo
from residents.closings.models import OF_CASE, frozen
from residents.whitelist.models import Worker

ABOUT_WORKERS = ["worker_ends", "proof_ends"]
ABOUT_TODOS = ["todo", "todo_late"]


class ChangeQuerySet(models.QuerySet["Change"]):
    """Queries on changes."""

    def visible_to(self, user: Any) -> Self:
        """Return the changes of cases in the areas of `user`."""
        return self.filter(people_within(user, "grid__path"))

    def unticked(self) -> Self:
        """Return the latest change of each case that nobody has ticked off."""
        return self.filter(ticked_at=None, replaced_at=None)


class Change(models.Model):
    """
    The dates of a case before and after a change of policy, to be passed on.

    Staff tick it off; a later change of the same case replaces it.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(
        Case,
        on_delete=models.CASCADE,
        db_index=False,  # the index below begins with it
        related_name="changes",
        verbose_name=_("case"),
    )
    grid = models.ForeignKey(
        Area, on_delete=models.PROTECT, db_index=False, related_name="+", verbose_name=_("grid")
    )
    at = models.DateTimeField(_("changed at"))
    law = models.CharField(_("document in force"), max_length=60)
    transition = models.CharField(_("transition"), max_length=10, blank=True)  # of the case
    before_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    before_release_on = models.DateField(_("release before"), null=True)
    after_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, db_index=False, related_name="+"
    )
    after_release_on = models.DateField(_("release now"), null=True)
    # Day 1, where no release says how the days of the tests moved.
    before_day_1 = models.DateField(_("day 1 before"), null=True)
    after_day_1 = models.DateField(_("day 1 now"), null=True)
    # Whether the case was freed before; for now see `transition`.
    before_freed = models.BooleanField(default=False)
    # It corrects an earlier change: the law before it applies again.
    correction = models.BooleanField(_("correction"), default=False)
    ticked_at = models.DateTimeField(_("told at"), null=True, blank=True)
    ticked_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("told by"),
    )
    replaced_at = models.DateTimeField(_("replaced at"), null=True, blank=True)

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change for staff")
        verbose_name_plural = _("changes for staff")
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                name="change_one_unticked",
                condition=Q(ticked_at=None, replaced_at=None),
            ),
            set_together("ticked", name="change_ticked_whole"),
        ]
        indexes = [
            models.Index(fields=["case", "-id"], name="change_of_case"),
            models.Index(
                fields=["grid", "-id"],
                name="change_unticked",
                condition=Q(ticked_at=None, replaced_at=None),
            ),
        ]
        triggers = [frozen("last_case", rows=OF_CASE)]

    def __str__(self) -> str:
        return f"change of case {self.case_id}"


class MessageQuerySet(models.QuerySet["Message"]):
    """Queries on messages."""

    def visible_to(self, user: Any) -> Self:
        """Return the messages about the grids below the areas of `user`."""
        return self.filter(people_within(user, "grid__path"))

    def below(self, area: Area | None) -> Self:
        """Return the messages about the grids of one area, none for None."""
        return self.filter(grid__path__startswith=area.path) if area else self.none()

    def inbox(self) -> Self:
        """Return the messages of the inbox."""
        return self.filter(channel=Message.Channel.IN_APP)

    def unread_by(self, user: Any) -> Self:
        """Return the messages of the inbox that `user` has not read."""
        read = Reading.objects.filter(message=models.OuterRef("pk"), user=user)
        return self.inbox().filter(~models.Exists(read))

    def since(self, day: date) -> Self:
        """Return the messages about that day or a later one."""
        return self.filter(day__gte=day)

    def outside(self) -> Self:
        """Return the messages by outside channels."""
        return self.exclude(channel=Message.Channel.IN_APP)

    def waiting(self) -> Self:
        """Return the messages still to be sent."""
        return self.filter(state__in=[Message.State.DUE, Message.State.SENDING])

    def undelivered(self) -> Self:
        """Return the messages that were not delivered, or possibly not."""
        return self.filter(state__in=[Message.State.UNKNOWN, Message.State.FAILED])

    def perhaps_twice(self) -> Self:
        """Return the messages sent again although the first attempt may have arrived."""
        return self.filter(perhaps_twice=True)


class Message(models.Model):
    """
    A message sent once for its kind, day and channel.

    It is about a case, a whitelist worker, a to-do, or, with none of them, a grid's digest.
    """

    class Kind(models.TextChoices):
        TEST_TOMORROW = "test_tomorrow", _("Test tomorrow")
        TEST_TODAY = "test_today", _("Test today")
        TEST_OVERDUE = "test_overdue", _("Test overdue")
        RELEASE_TODAY = "release_today", _("Release due")
        RELEASED = "released", _("Released")
        REFERRED = "referred", _("Passed to medical care")
        CHANGED = "changed", _("Dates changed")
        WORKER_ENDS = "worker_ends", _("White list entry ends")
        PROOF_ENDS = "proof_ends", _("Proof for work ends")
        TODO = "todo", _("To do now")
        TODO_LATE = "todo_late", _("Overdue: for the supervisor")
        DIGEST = "digest", _("The grid's morning list")

    class Channel(models.TextChoices):
        IN_APP = "in_app", _("Inbox")
        EMAIL = "email", _("E-mail")
        SMS = "sms", _("SMS")
        WECOM = "wecom", _("WeCom robot")
        DINGTALK = "dingtalk", _("DingTalk robot")

    class State(models.TextChoices):
        DUE = "due", pgettext_lazy("a message", "Due")
        SENDING = "sending", _("Being sent")
        SENT = "sent", _("Sent")
        UNKNOWN = "unknown", _("Possibly sent")
        FAILED = "failed", _("Not delivered")
        DROPPED = "dropped", _("No longer needed")

    # Also the idempotency key for gateways: made from what the message is about (`keys`).
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case = models.ForeignKey(
        Case,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_index=False,  # the unique key begins with it
        related_name="messages",
        verbose_name=_("case"),
    )
    worker = models.ForeignKey(
        Worker,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_index=False,  # its unique key begins with it
        related_name="messages",
        verbose_name=_("whitelist worker"),
    )
    todo = models.ForeignKey(
        Todo,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        db_index=False,  # its unique key begins with it
        related_name="messages",
        verbose_name=_("to-do"),
    )
    grid = models.ForeignKey(
        Area,
        on_delete=models.PROTECT,
        db_index=False,  # every list begins with a state
        related_name="messages",
        verbose_name=_("grid"),
    )
    kind = models.CharField(_("kind"), max_length=15, choices=Kind)
    day = models.DateField(_("day"))  # the day of the test or release it is about
    # The change it is about, and the earliest change that this channel has not told yet: if that
    # one's message was never sent, this message covers both.
    change = models.ForeignKey(
        Change,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="messages",
        verbose_name=_("change"),
    )
    since = models.ForeignKey(
        Change, on_delete=models.CASCADE, null=True, blank=True, db_index=False, related_name="+"
    )
    channel = models.CharField(_("channel"), max_length=10, choices=Channel)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DUE)
    # Created later than its day requires, after an outage or a late entry.
    late = models.BooleanField(_("late"), default=False)
    created_at = models.DateTimeField(_("made at"))
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    not_before = models.DateTimeField(_("not before"))
    # Its position among the messages of its grid in the same sweep: the first of each grid is sent
    # before the second of any, so that large grids do not delay small ones.
    turn = models.PositiveIntegerField(default=1)
    leased_until = models.DateTimeField(null=True, blank=True)
    # The fencing number: increases with each lease; holders of older numbers may not write.
    fence = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    trouble = models.CharField(_("problem"), max_length=120, blank=True)
    perhaps_twice = models.BooleanField(_("possibly sent twice"), default=False)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["case", "kind", "day", "channel", "change"],
                name="message_once_a_case",
                condition=Q(case__isnull=False),
                nulls_distinct=False,
            ),
            models.UniqueConstraint(
                fields=["worker", "kind", "day", "channel"],
                name="message_once_a_worker",
                condition=Q(worker__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["todo", "kind", "channel"],
                name="message_once_a_todo",
                condition=Q(todo__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["grid", "kind", "day", "channel"],
                name="message_once_a_grid",
                condition=Q(case=None, worker=None, todo=None),
            ),
            models.CheckConstraint(
                name="message_is_about_one_thing",
                condition=Q(kind="digest", case=None, worker=None, todo=None)
                | Q(kind__in=ABOUT_WORKERS, case=None, worker__isnull=False, todo=None)
                | Q(kind__in=ABOUT_TODOS, case=None, worker=None, todo__isnull=False)
                | (
                    ~Q(kind__in=["digest", *ABOUT_WORKERS, *ABOUT_TODOS])
                    & Q(case__isnull=False, worker=None, todo=None)
                ),
            ),
            models.CheckConstraint(
                name="message_of_a_change",
                condition=Q(kind="changed", change__isnull=False, since__isnull=False)
                | (~Q(kind="changed") & Q(change=None, since=None)),
            ),
            models.CheckConstraint(
                name="message_sent_whole",
                condition=Q(state="sent", sent_at__isnull=False)
                | (~Q(state="sent") & Q(sent_at=None)),
            ),
            models.CheckConstraint(
                name="message_in_app_is_sent", condition=~Q(channel="in_app") | Q(state="sent")
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel", "turn", "id"],
                name="message_waiting",
                condition=Q(state="due"),
            ),
            models.Index(fields=["channel"], name="message_sending", condition=Q(state="sending")),
            models.Index(
                fields=["grid", "-id"], name="message_inbox", condition=Q(channel="in_app")
            ),
            models.Index(
                fields=["-id"],
                name="message_trouble",
                condition=Q(state__in=["unknown", "failed"]) | Q(perhaps_twice=True),
            ),
        ]
        triggers = [frozen("last_case", rows=OF_CASE, when="OLD.state NOT IN ('due', 'sending')")]

    def __str__(self) -> str:
        return f"{self.kind} by {self.channel} on {self.day}"


class Reading(models.Model):
    """A message of the inbox read by a user."""

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
    """The time when a sweep last completed, by the database's clock."""

    sweep = models.CharField(max_length=40, primary_key=True)
    at = models.DateTimeField(db_default=Now())

    class Meta:
        verbose_name = _("heartbeat")
        verbose_name_plural = _("heartbeats")

    def __str__(self) -> str:
        return f"{self.sweep} at {self.at:%F %T}"


class Outbox(models.Model):
    """
    How far sending has come: one row, compared with a note outside the database (`restores`).

    `key` names this course of sending, `earlier` those that it continues with a human's consent.
    """

    key = models.UUIDField(default=uuid.uuid4)
    number = models.BigIntegerField(default=0)  # grows before each sending
    earlier = ArrayField(models.UUIDField(), default=list)
    held_at = models.DateTimeField(_("held since"), null=True)

    class Meta:
        verbose_name = _("outbox")
        verbose_name_plural = _("outboxes")
        constraints = [models.CheckConstraint(name="outbox_one", condition=Q(id=1))]

    def __str__(self) -> str:
        return f"outbox {self.number}"
