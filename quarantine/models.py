"""Arrivals, cases, the plans they follow and what happened to them."""

import uuid
from datetime import date
from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.scope import people_within, within
from accounts.staff.models import Area, User
from accounts.withdrawal import KEPT, ONLY_WITHDRAWN, Withdrawable, WithdrawableQuerySet
from common.encryption import EncryptedTextField
from policy.models import Activation, Provision
from quarantine.todo.models import Todo as Todo  # for Django
from residents.closings.models import OF_CASE, OF_RESIDENT, frozen, hidden_from
from residents.duplicates.models import ONLY_WITHDRAWN_OR_MERGED, SAME_PERSON
from residents.openings.models import opened_to
from residents.register.models import Resident
from testing.models import NATResult

# What no constraint can say: the evidence of a case is about its resident, and the plan of its
# opening rests on the provision that the evidence was decided under.
EVIDENCE_FITS = pgtrigger.Trigger(
    name="evidence_fits",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert
    | pgtrigger.UpdateOf(  # type: ignore[no-untyped-call]
        "resident_id", "arrival_id", "positive_id", "index_case_id"
    ),
    declare=[
        ("ground", "policy_provision%ROWTYPE"),
        ("other_law", "boolean := TG_OP = 'UPDATE' AND NEW.law <> NEW.opened_under"),
        (
            "same_people",  # a contact may have moved away since, or been merged (same_person)
            "boolean := TG_OP = 'UPDATE' AND (SELECT resident_id FROM quarantine_case"
            " WHERE id = NEW.index_case_id) IS NOT DISTINCT FROM (SELECT resident_id"
            " FROM quarantine_case WHERE id = OLD.index_case_id)",
        ),
    ],
    func="""
        SELECT p.* INTO ground FROM policy_provision p
            JOIN quarantine_plan q ON q.provision_id = p.id WHERE q.id = NEW.plan_id;
        -- Without a plan NOT NULL and the foreign key speak.
        IF ground.id IS NOT NULL AND (NEW.arrival_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM quarantine_arrival a JOIN policy_provision p ON p.id = a.provision_id
            WHERE a.id = NEW.arrival_id AND a.resident_id = NEW.resident_id
                AND (other_law OR p.subject = ground.subject)
                AND (TG_OP = 'UPDATE' OR p.id = ground.id)
        ) OR NEW.positive_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM testing_natresult r JOIN testing_sample s ON s.id = r.sample_id
            WHERE r.id = NEW.positive_id AND s.resident_id = NEW.resident_id
                AND (other_law OR ground.subject = 'infected')
        ) OR NEW.index_case_id IS NOT NULL AND NOT EXISTS (
            SELECT FROM quarantine_case c
            JOIN residents_resident i ON i.id = c.resident_id
            JOIN residents_resident o ON o.id = NEW.resident_id
            WHERE c.id = NEW.index_case_id AND i.id <> o.id
                AND (same_people OR i.household_id = o.household_id)
                AND (other_law OR ground.subject = 'close_contacts')
        )) THEN
            RAISE EXCEPTION 'case_evidence_fits: the evidence is about somebody or something else';
        END IF;
        RETURN NEW;
    """,
)

# A plan that follows from changed facts keeps the subject of the evidence; a law that came into
# force later may call it otherwise. Asked of plans of the opening's law only, so that a switch of
# many cases is not held up by it.
PLAN_FITS = pgtrigger.Trigger(
    name="plan_fits",
    when=pgtrigger.Before,
    operation=pgtrigger.UpdateOf("plan_id", "law"),  # type: ignore[no-untyped-call]
    condition=pgtrigger.Condition(
        "NEW.law = NEW.opened_under AND (NEW.plan_id, NEW.law) <> (OLD.plan_id, OLD.law)"
    ),
    func="""
        IF EXISTS (
            SELECT FROM quarantine_plan q
            JOIN policy_provision ground ON ground.id = q.provision_id
            LEFT JOIN quarantine_arrival a ON a.id = NEW.arrival_id
            LEFT JOIN policy_provision p ON p.id = a.provision_id
            WHERE q.id = NEW.plan_id AND (
                NEW.arrival_id IS NOT NULL AND p.subject IS DISTINCT FROM ground.subject
                OR NEW.positive_id IS NOT NULL AND ground.subject <> 'infected'
                OR NEW.index_case_id IS NOT NULL AND ground.subject <> 'close_contacts'
            )
        ) THEN
            RAISE EXCEPTION 'case_evidence_fits: the evidence is about something else';
        END IF;
        RETURN NEW;
    """,
)

# A plan says the document, clause and subject of the provision that it rests on.
RESTS_ON_PROVISION = pgtrigger.Trigger(
    name="rests_on_provision",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert,
    declare=[("ground", "policy_provision%ROWTYPE")],
    func="""
        SELECT p.* INTO ground FROM policy_provision p WHERE p.id = NEW.provision_id;
        -- Without a provision NOT NULL and the foreign key speak.
        IF ground.id IS NOT NULL AND (
            NEW.content->>'document', NEW.content->>'clause', NEW.content->>'subject'
        ) IS DISTINCT FROM (ground.document::text, ground.clause::text, ground.subject::text) THEN
            RAISE EXCEPTION 'plan_rests_on_provision: the plan cites something else';
        END IF;
        RETURN NEW;
    """,
)


class ArrivalQuerySet(WithdrawableQuerySet["Arrival"]):
    """Questions about arrivals."""

    def visible_to(self, user: Any) -> Self:
        """Return the arrivals in the areas of `user`; frozen ones not to grid staff."""
        theirs = self.filter(people_within(user, "grid__path"))
        return theirs.exclude(hidden_from(user, "last_arrival"))


class Arrival(Withdrawable):
    """The arrival of a resident in the area, with the answer that the law in force gave."""

    # Made by the page that logs it: the same form sent twice is one arrival.
    key = models.UUIDField(default=uuid.uuid4, unique=True)
    resident = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="arrivals", verbose_name=_("resident")
    )
    grid = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="arrivals", verbose_name=_("grid")
    )
    arrived_on = models.DateField(_("arrived on"))
    from_abroad = models.BooleanField(_("from abroad"), default=False)
    origin = models.CharField(
        _("came from"), max_length=6, blank=True
    )  # GB/T 2260; "" from abroad
    facts = models.JSONField(_("facts"))  # quarantine.cases.facts.pack, relative to the arrival
    law = models.CharField(_("document in force"), max_length=60)
    # The provision that decided; none where nothing in law asks anything.
    provision = models.ForeignKey(
        Provision,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("provision"),
    )
    logged_at = models.DateTimeField(_("logged at"))
    logged_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("logged by")
    )
    # The withdrawn row that this one puts right; logged when and by whom that one was, while
    # `corrects.withdrawn_at` and `withdrawn_by` say when and by whom it was put right.
    corrects = models.OneToOneField(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="corrected_in",
        verbose_name=_("corrects"),
    )
    # `arrivals.services.Entry` as JSON: what logging it changed of the person, for the undo.
    entry = EncryptedTextField(blank=True, editable=False, bound_to=["key"])

    objects = ArrivalQuerySet.as_manager()

    class Meta:
        verbose_name = _("arrival")
        verbose_name_plural = _("arrivals")
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "arrived_on"],
                name="arrival_once_a_day",
                condition=Q(withdrawn_at=None),
            )
        ]
        indexes = [models.Index(fields=["grid", "arrived_on"])]
        triggers = [
            ONLY_WITHDRAWN_OR_MERGED,
            SAME_PERSON,
            KEPT,
            frozen("last_arrival", rows=OF_RESIDENT),
        ]

    def __str__(self) -> str:
        return f"arrival {self.key}"


class Plan(models.Model):
    """
    A measure without dates, shared by every case with the same answer.

    Immutable. Its provision must be one that a checked document holds: the database keeps
    anybody from putting a person under a measure that no text knows.
    """

    digest = models.CharField(_("digest"), max_length=64, unique=True)
    provision = models.ForeignKey(
        Provision, on_delete=models.PROTECT, related_name="plans", verbose_name=_("provision")
    )
    content = models.JSONField(_("content"))  # policy.engine.calendars.plans.Plan.to_json

    class Meta:
        verbose_name = _("plan")
        verbose_name_plural = _("plans")
        triggers = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete),
            RESTS_ON_PROVISION,
        ]

    def __str__(self) -> str:
        return f"plan {self.digest[:8]}"

    @property
    def document(self) -> str:
        """Return the document of the provision; said here, too (RESTS_ON_PROVISION)."""
        return str(self.content["document"])

    @property
    def clause(self) -> str:
        """Return the clause of the provision."""
        return str(self.content["clause"])

    @property
    def subject(self) -> str:
        """Return the subject of the provision."""
        return str(self.content["subject"])


# Open, and a switch has changed something since people were last told. People are told of what
# holds them, once, however many grounds they are under.
# Who was to be released before the new law took effect is told by the release itself.
# Who is freed on the very day of release keeps plan and day, and owes no test any more.
UNTOLD = (
    Q(closed_on=None, governs=True, told_plan__isnull=False)
    & (
        ~Q(told_plan=F("plan"))
        | Q(told_freed=False, transition="freed")
        | Q(told_freed=True) & ~Q(transition="freed")
        | ~Q(told_release_on=F("release_on"))
        & ~Q(told_release_on__isnull=True, release_on__isnull=True)
        # The days of somebody who is only tested move with day 1 alone.
        | ~Q(told_day_1=F("day_1"))
    )
    & ~Q(told_release_on__lt=F("law_from"))
)

# The law in force cannot say what becomes of these; they keep their plan until a human has looked.
NEEDS_DECISION = ("referred", "undecided")

# The law of its opening belongs to the facts of a case.
OPENED_UNDER_ONE_LAW = pgtrigger.Protect(
    name="opened_under_one_law",
    operation=pgtrigger.Update,
    condition=pgtrigger.Condition(
        "OLD.opened_under <> '' AND NEW.opened_under <> OLD.opened_under"
    ),
)


class CaseQuerySet(models.QuerySet["Case"]):
    """Questions about cases."""

    def visible_to(self, user: Any, *, opened: bool = False) -> Self:
        """
        Return the cases in the areas of `user`; frozen ones not to grid staff.

        With `opened` also those of people whose record `user` has opened with a reason: for the
        page that shows one case, never for lists or acts.
        """
        theirs = people_within(user, "grid__path")
        seen = self.filter(theirs | opened_to(user, "resident") if opened else theirs)
        return seen.filter(Q(closed_on=None) | ~hidden_from(user, "last_case"))

    def without_people(self, user: Any) -> Self:
        """
        Return the cases in the areas of `user`, whatever the role.

        For pages that show a case by its pseudonym and grid, and nothing of its resident.
        """
        return self.filter(within(user, "grid__path"))

    def open(self) -> Self:
        """Return the open cases: every ground that people are under now."""
        return self.filter(closed_on=None)

    def governing(self) -> Self:
        """Return the open case of each person that governs: people, not grounds."""
        return self.open().filter(governs=True)

    def beside(self) -> Self:
        """Return the open cases beside the one that governs; few people have any."""
        return self.open().filter(governs=False)

    def following(self, activation: Activation) -> Self:
        """Return the cases that were last derived under an activation."""
        return self.filter(activation=activation)

    def untold(self) -> Self:
        """Return the open cases of which something is not what people were last told."""
        return self.filter(UNTOLD)

    def release_due(self, on: date) -> Self:
        """Return the governing case of each person whose release day has come."""
        return self.governing().filter(release_on__lte=on)


class Case(models.Model):
    """
    A ground on which a person is under a measure.

    A person may be under several at once; one of the open ones governs (`cases.standing`), and
    lists, messages and numbers ask that one. A case holds facts and points to a plan; every date
    is derived from both by `policy.engine.calendars.laying`. Two derived days stand here so that
    they are found quickly.

    Which law the plan is of follows from the facts, the law of the opening, the activation that
    governs the grid and the case's own exception, by `cases.governing_law.follow` alone.
    """

    class ClosedAs(models.TextChoices):
        RELEASED = "released", _("Released")
        COMPLETED = "completed", _("Tests completed")  # tests only: nothing to be released from
        REFERRED = "referred", _("Passed to medical care")
        SUPERSEDED = "superseded", _("Continued by another case")
        HANDED_OVER = "handed_over", _("Handed over elsewhere")
        DIED = "died", _("Died")
        WITHDRAWN = "withdrawn", _("Taken back")
        IN_ERROR = "in_error", _("Entered in error")
        EXCLUDED = "excluded", _("Excluded")

    # What should never have been: no fact stands behind it any more.
    VOID = (ClosedAs.WITHDRAWN, ClosedAs.IN_ERROR, ClosedAs.EXCLUDED)

    class Transition(models.TextChoices):
        """What another law than that of the opening did to a case (policy.engine.comparison)."""

        NONE = "", _("Under the document of its opening")
        FOLLOWS = "follows", _("Follows the document in force")
        FREED = "freed", _("The document in force asks nothing more")
        STAYS = "stays", _("Stays under the document of its opening")
        REFERRED = "referred", _("The document in force passes this person to medical care")
        UNDECIDED = "undecided", _("The document in force cannot be applied to the facts known")

    class Excepted(models.TextChoices):
        """What was decided for one case against the rule of transition."""

        STAYS = "stays", _("Stays under the document of its opening")
        FOLLOWS = "follows", _("Follows the document in force though it is stricter")

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="cases", verbose_name=_("resident")
    )
    # A switch writes every index of this table anew, so it has none that others make needless.
    grid = models.ForeignKey(
        Area,
        on_delete=models.PROTECT,
        related_name="cases",
        db_index=False,
        verbose_name=_("grid"),
    )
    # What opened it: an arrival, a positive result, or living with an infected person.
    arrival = models.OneToOneField(
        Arrival,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="case",
        verbose_name=_("arrival"),
    )
    positive = models.ForeignKey(
        NATResult,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        db_index=False,
        verbose_name=_("positive"),
    )
    index_case = models.ForeignKey(
        "self",
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="contacts",
        db_index=False,
        verbose_name=_("index case"),
    )
    opened_at = models.DateTimeField(_("opened at"))
    opened_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("opened by"),
    )
    day_1 = models.DateField(_("day 1"))
    facts = models.JSONField(_("facts"))  # quarantine.cases.facts.pack
    opened_under = models.CharField(_("opened under"), max_length=60)
    # What governed the grid when the plan was last derived; None where nothing did.
    activation = models.ForeignKey(
        Activation,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="cases",
        db_index=False,
        verbose_name=_("activation"),
    )
    # The document that the dates come from, and the legal day from which it governs this case:
    # None while it is the one of the opening.
    law = models.CharField(_("document in force"), max_length=60)
    law_from = models.DateField(_("governed from"), null=True, blank=True)
    # The day from which the law no longer holds this person.
    freed_on = models.DateField(_("free from"), null=True, blank=True)
    transition = models.CharField(
        _("transition"), max_length=10, choices=Transition, default=Transition.NONE, blank=True
    )
    excepted = models.CharField(_("exception"), max_length=10, choices=Excepted, blank=True)
    plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, related_name="cases", verbose_name=_("plan")
    )
    # Of the person where this ground governs, of this ground alone where it does not.
    next_test_on = models.DateField(_("next test"), null=True, blank=True)
    release_on = models.DateField(pgettext_lazy("the day", "release"), null=True, blank=True)
    # What happened, counted from day 1 (`cases.calendars.History`): with the plan and day 1
    # all that dates depend on, so that cases alike are found by one GROUP BY.
    history = models.TextField(_("history"), default="", blank=True)
    # Of the open grounds of a person the strictest and longest: written by `cases.standing` alone.
    # A closed one keeps it where no other was open then: it ended the person's measure.
    governs = models.BooleanField(default=True, editable=False)
    # What people were last told; an act tells them, a switch does not.
    told_plan = models.ForeignKey(
        Plan, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    told_release_on = models.DateField(null=True)
    told_day_1 = models.DateField(null=True)
    told_freed = models.BooleanField(default=False)
    closed_on = models.DateField(_("closed on"), null=True, blank=True)
    closed_as = models.CharField(_("closed as"), max_length=12, choices=ClosedAs, blank=True)
    version = models.PositiveIntegerField(default=1)

    objects = CaseQuerySet.as_manager()

    class Meta:
        verbose_name = _("case")
        verbose_name_plural = _("cases")
        constraints = [
            models.UniqueConstraint(
                fields=["resident"],
                name="case_one_governs",
                condition=Q(closed_on=None, governs=True),
            ),
            # One event is one ground, however often it is entered.
            models.UniqueConstraint(
                fields=["resident", "index_case"],
                name="case_once_of_index",
                condition=Q(closed_on=None, index_case__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["positive"],
                name="case_once_of_positive",
                condition=Q(closed_on=None, positive__isnull=False),
            ),
            models.CheckConstraint(
                name="case_has_evidence",
                condition=Q(arrival__isnull=False)
                | Q(positive__isnull=False)
                | Q(index_case__isnull=False),
            ),
            models.CheckConstraint(
                name="case_closed_whole",
                condition=Q(closed_on=None, closed_as="")
                | (Q(closed_on__isnull=False) & ~Q(closed_as="")),
            ),
        ]
        indexes = [
            models.Index(
                fields=["grid", "next_test_on"],
                name="case_open_tests",
                condition=Q(closed_on=None),
            ),
            models.Index(
                fields=["grid", "release_on"],
                name="case_open_releases",
                condition=Q(closed_on=None),
            ),
            # The sweep of reminders asks for all grids at once.
            models.Index(
                fields=["next_test_on"], name="case_next_test", condition=Q(closed_on=None)
            ),
            models.Index(fields=["release_on"], name="case_release", condition=Q(closed_on=None)),
            models.Index(
                fields=["closed_on"], name="case_closed_day", condition=Q(closed_on__isnull=False)
            ),
            models.Index(
                fields=["positive"],
                name="case_of_positive",
                condition=Q(positive__isnull=False),
            ),
            models.Index(
                fields=["index_case"],
                name="case_of_index",
                condition=Q(index_case__isnull=False),
            ),
            # Whether a grid has cases under another activation than the one in force.
            models.Index(
                fields=["grid", "activation"], name="case_followed", condition=Q(closed_on=None)
            ),
            models.Index(fields=["grid"], name="case_untold", condition=UNTOLD),
            # The people with several grounds, of whom there are few.
            models.Index(fields=["resident"], name="case_beside", condition=Q(governs=False)),
            models.Index(fields=["grid", "closed_on"], name="case_closed"),
        ]
        triggers = [
            KEPT,
            SAME_PERSON,
            EVIDENCE_FITS,
            PLAN_FITS,
            OPENED_UNDER_ONE_LAW,
            # Only closed ones are ever frozen: a switch of many open ones is not held up by it.
            frozen("last_case", rows=OF_RESIDENT, when="OLD.closed_on IS NOT NULL"),
        ]

    def __str__(self) -> str:
        return f"case {self.key}"

    @property
    def freed(self) -> bool:
        """Whether the law in force asks nothing more of the person."""
        return self.transition == Case.Transition.FREED


class EventQuerySet(WithdrawableQuerySet["Event"]):
    """Questions about events."""

    def visible_to(self, user: Any) -> Self:
        """Return the events of cases in the areas of `user`."""
        return self.filter(people_within(user, "case__grid__path"))


class Event(Withdrawable):
    """
    Something that happened to a case: a fact with a day, an author and, where asked, a reason.

    Samples and results are rows of `testing`; everything else stands here. Never changed,
    only taken back.
    """

    class Kind(models.TextChoices):
        OPENED = "opened", _("Case opened")
        TEST_MISSED = "test_missed", _("Test missed")
        HOME_CONDITIONS = "home_conditions", _("Home conditions changed")
        CHOSE_CENTRAL = "chose_central", _("Central isolation asked for")
        MOVED = "moved", _("Moved to another setting")
        GRID = "grid", _("Moved to another grid")
        OUTING_ASKED = "outing_asked", _("Leave to go out asked for")
        OUTING_APPROVED = "outing_approved", _("Leave to go out approved")
        OUTING_REFUSED = "outing_refused", _("Leave to go out refused")
        CHECK = "check", _("Daily check")
        CLINICAL = "clinical", _("Clinical class changed")
        POSITIVE = "positive", _("Positive result")
        NO_CONTACT = "no_contact", _("No close contact")
        CORRECTED = "corrected", _("Put right")
        REFERRED = "referred", _("Passed to medical care")
        EXCEPTION = "exception", _("Exception from a change of document")
        RELEASED = "released", _("Released")
        CLOSED = "closed", pgettext_lazy("a case", "Closed")
        NOTE = "note", _("Note")

    case = models.ForeignKey(
        Case, on_delete=models.PROTECT, related_name="events", verbose_name=_("case")
    )
    # Made by the form that wrote it: the same form sent twice is one event.
    key = models.UUIDField(null=True, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    day = models.DateField(_("day"))
    at = models.DateTimeField(_("recorded at"))
    by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("by"),
    )
    reason = EncryptedTextField(_("reason"), blank=True, bound_to=["case_id", "at"])
    clause = models.CharField(_("clause"), max_length=80, blank=True)  # "document clause"
    detail = models.JSONField(_("detail"), default=dict)
    note = EncryptedTextField(_("note"), blank=True, bound_to=["case_id", "at"])
    about = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="answers"
    )

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        indexes = [models.Index(fields=["case", "at"]), models.Index(fields=["kind", "day"])]
        constraints = [
            models.UniqueConstraint(
                fields=["case", "day"],
                name="missed_once_a_day",
                condition=Q(kind="test_missed", withdrawn_at=None),
            ),
            models.UniqueConstraint(
                fields=["case", "key"],
                name="event_once_a_form",
                condition=Q(withdrawn_at=None),
            ),
        ]
        triggers = [ONLY_WITHDRAWN, KEPT, frozen("last_case", rows=OF_CASE, inserts=True)]

    def __str__(self) -> str:
        return f"{self.kind} of case {self.case_id}"


class PreviewSeen(models.Model):
    """The numbers that a preview showed to one who decides on a proposal, at their last look."""

    activation = models.ForeignKey(
        Activation,
        on_delete=models.PROTECT,
        related_name="previews_seen",
        verbose_name=_("activation"),
    )
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("looked at by")
    )
    at = models.DateTimeField(_("looked at"))
    counts = models.JSONField(_("numbers"))  # cases by `switching.preview.SwitchOutcome`

    class Meta:
        verbose_name = _("preview seen")
        verbose_name_plural = _("previews seen")
        constraints = [
            models.UniqueConstraint(fields=["activation", "by"], name="preview_seen_once")
        ]

    def __str__(self) -> str:
        return f"{self.by_id} saw {self.activation_id}"
