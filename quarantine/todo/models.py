"""Things to do about a danger (待办): what caused each, who owns it, until when, what ended it."""

import uuid
from typing import Any, Self

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.scope import people_within
from accounts.staff.models import Role, User
from accounts.withdrawal import KEPT, Withdrawable, WithdrawableQuerySet, set_together
from common.encryption import EncryptedTextField
from policy import words
from residents.closings.models import OF_RESIDENT, frozen
from residents.duplicates.models import SAME_PERSON
from residents.register.models import Resident

# Neither done nor withdrawn.
OPEN = Q(done_at=None, withdrawn_at=None)


class TodoQuerySet(WithdrawableQuerySet["Todo"]):
    """Questions about things to do."""

    def visible_to(self, user: Any) -> Self:
        """Return the to-dos about people in the areas of `user`; they move with the person."""
        return self.filter(people_within(user, "resident__grid__path"))

    def open(self) -> Self:
        """
        Return what is still to be done.

        Nothing is left to do for somebody who is gone, but for two kinds: somebody infected who
        has left without having been handed over, and whoever lived with an infected person.
        Leave to go out is not asked for any more once the case is closed, and nothing rests on a
        fact that was withdrawn. These ends are conditions, not columns, so that taking a death,
        a departure or a release back brings the to-do back by itself.
        """
        gone = Resident.GoneAs
        concerns = (
            Q(resident__gone_as="")
            | Q(kind=Todo.Kind.REFER, resident__gone_as=gone.LEFT)
            | Q(kind=Todo.Kind.HOUSEHOLD, resident__gone_as__in=[gone.LEFT, gone.DIED])
        )
        infected = [Todo.Kind.POSITIVE, Todo.Kind.HOUSEHOLD]
        lapsed = Q(kind=Todo.Kind.OUTING, case__closed_on__isnull=False) | Q(
            kind__in=infected, case__closed_as="withdrawn"
        )
        withdrawn = (
            Q(arrival__withdrawn_at__isnull=False)
            | Q(event__withdrawn_at__isnull=False)
            | Q(result__withdrawn_at__isnull=False)
            | Q(result__sample__withdrawn_at__isnull=False)
        )
        return self.filter(OPEN, concerns).exclude(lapsed).exclude(withdrawn)

    def of_kinds(self, *kinds: "Todo.Kind") -> Self:
        """Return those of some kinds."""
        return self.filter(kind__in=kinds)

    def with_details(self) -> Self:
        """Fetch what a line about each needs."""
        return self.select_related(
            "resident__household__building",
            "resident__grid",
            "arrival__provision",
            "case__plan",
            "event",
            "result__sample",
            "opened_by",
        )


class Todo(Withdrawable):
    """
    Something that a danger asks of somebody, until an act ends it.

    Its cause is one fact: an arrival, an event of a case, or a result. The service that records
    the fact opens it in the same transaction, and withdrawing the fact withdraws it. The passing
    of time never ends it; it only hands it to the supervisor.
    """

    class Kind(models.TextChoices):
        REFER = "refer", _("Refer to medical care")
        POSITIVE = "positive", _("Positive result")
        POOL = "pool", _("Pooled positive to check")
        SYMPTOMS = "symptoms", _("Symptoms or fever")
        HOUSEHOLD = "household", _("Household of an infected person")
        OUTING = "outing", _("Leave to go out to decide")

    class Vehicle(models.TextChoices):
        AMBULANCE = "ambulance", words.OUTINGS["ambulance"]
        ESCORTED = "escorted", words.OUTINGS["escorted"]
        OWN = "own", words.OUTINGS["own"]

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    resident = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="todos", verbose_name=_("resident")
    )
    # The case that it stands on, where there is one.
    case = models.ForeignKey(
        "quarantine.Case",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="todos",
        verbose_name=_("case"),
    )
    # What caused it, one of three.
    arrival = models.ForeignKey(
        "quarantine.Arrival",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="todos",
        db_index=False,
        verbose_name=_("arrival"),
    )
    event = models.ForeignKey(
        "quarantine.Event",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="todos",
        verbose_name=_("event"),
    )
    result = models.ForeignKey(
        "testing.NATResult",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="todos",
        verbose_name=_("result"),
    )
    owner = models.CharField(
        _("owner"),
        max_length=15,
        choices=[(role.value, role.label) for role in (Role.GRID_STAFF, Role.SUPERVISOR)],
    )
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("opened by"),
    )
    due_at = models.DateTimeField(_("due at"))
    escalated_at = models.DateTimeField(_("escalated at"), null=True, blank=True)
    # What ended it: who, when, and the event or result by which, where that is one.
    done_at = models.DateTimeField(_("done at"), null=True, blank=True)
    done_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("done by"),
    )
    done_event = models.ForeignKey(
        "quarantine.Event", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    done_result = models.ForeignKey(
        "testing.NATResult", on_delete=models.PROTECT, related_name="+", null=True, blank=True
    )
    # To whom somebody was handed over, or what was done.
    done_text = EncryptedTextField(_("what was done"), blank=True, bound_to=["key"])
    handed_over_at = models.DateTimeField(_("handed over at"), null=True, blank=True)
    vehicle = models.CharField(_("vehicle"), max_length=10, choices=Vehicle, blank=True)

    objects = TodoQuerySet.as_manager()

    class Meta:
        verbose_name = _("to-do")
        verbose_name_plural = _("to-dos")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "arrival", "event", "result"],
                name="todo_once_a_cause",
                condition=Q(withdrawn_at=None),
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                name="todo_has_one_cause",
                condition=Q(arrival__isnull=False, event=None, result=None)
                | Q(arrival=None, event__isnull=False, result=None)
                | Q(arrival=None, event=None, result__isnull=False),
            ),
            set_together("done", name="todo_done_whole"),
            models.CheckConstraint(
                name="todo_handed_over_whole",
                condition=Q(done_at=None)
                | ~Q(kind="refer")
                | Q(handed_over_at__isnull=False) & ~Q(vehicle=""),
            ),
        ]
        indexes = [
            models.Index(fields=["resident", "due_at"], name="todo_open", condition=OPEN),
            models.Index(
                fields=["due_at"], name="todo_to_escalate", condition=OPEN & Q(escalated_at=None)
            ),
        ]
        triggers = [KEPT, SAME_PERSON, frozen("last_todo", rows=OF_RESIDENT)]

    def __str__(self) -> str:
        return f"to-do {self.key}"

    @property
    def is_open(self) -> bool:
        """Return whether it is neither done nor withdrawn."""
        return self.done_at is None and self.withdrawn_at is None
