"""Which document is in force where, and the provisions that a measure may rest on."""

from datetime import datetime
from typing import Self

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.staff.models import Area, User
from accounts.voices.models import two_voices
from accounts.withdrawal import KEPT, Withdrawable, WithdrawableQuerySet, set_together


class Provision(models.Model):
    """
    A provision that some document holds; what a plan must point to.

    Filled from the checked documents by `policy.services.load_documents`, so that a measure
    which no text knows is refused by the database itself.
    """

    document = models.CharField(_("document"), max_length=60)
    clause = models.CharField(_("clause"), max_length=10)
    subject = models.CharField(_("subject"), max_length=40)

    class Meta:
        verbose_name = _("provision")
        verbose_name_plural = _("provisions")
        constraints = [
            models.UniqueConstraint(
                fields=["document", "clause", "subject"], name="provision_once"
            ),
            models.CheckConstraint(
                condition=~Q(document="") & ~Q(clause=""), name="provision_is_cited"
            ),
        ]
        triggers = [
            pgtrigger.Protect(name="immutable", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.clause} {self.subject}"


# Two administrators are two voices only where nobody employs both. What they were employed as
# stands on the row, and is compared with the accounts at the moment of each act.
TWO_EMPLOYERS = pgtrigger.Trigger(
    name="two_employers",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.UpdateOf("approved_by_id"),  # type: ignore[no-untyped-call]
    declare=[("proposer", "text"), ("approver", "text")],
    func="""
        IF NEW.approved_by_id IS NULL OR TG_OP = 'UPDATE' AND OLD.approved_by_id IS NOT NULL THEN
            RETURN NEW;
        END IF;
        SELECT employer INTO proposer FROM accounts_user WHERE id = NEW.proposed_by_id;
        SELECT employer INTO approver FROM accounts_user WHERE id = NEW.approved_by_id;
        IF NEW.proposer_employer = '' OR approver = '' OR NEW.approver_employer <> approver
            OR lower(approver) IN (lower(proposer), lower(NEW.proposer_employer)) THEN
            RAISE EXCEPTION 'activation_two_employers: they work for one, or for whom is unknown';
        END IF;
        RETURN NEW;
    """,
)


class ActivationQuerySet(WithdrawableQuerySet["Activation"]):
    """Questions about activations."""

    def in_force(self, at: datetime) -> Self:
        """Return the approved activations that have begun and were not withdrawn by `at`."""
        return self.filter(approved_at__lte=at, effective_from__lte=at).exclude(
            withdrawn_at__lte=at
        )

    def not_replaced(self, at: datetime) -> Self:
        """Return of those in force the last one for each area, which has replaced the others."""
        last = Activation.objects.in_force(at).order_by(
            "area", "-effective_from", "-approved_at", "-pk"
        )
        return self.filter(pk__in=last.distinct("area").values("pk"))

    def waiting(self) -> Self:
        """Return the proposals that a second person may approve."""
        return self.valid().filter(approved_at=None)

    def over(self, area: Area) -> Self:
        """Return the activations made for `area` or for what lies above it."""
        steps = range(Area.steplen, len(area.path) + 1, Area.steplen)
        return self.filter(area__path__in=[area.path[:end] for end in steps])


class Activation(Withdrawable):
    """
    The decision of two people that a document is in force in an area from a moment on.

    What was proposed never changes; approval and withdrawal are written once.
    """

    document = models.CharField(_("document"), max_length=60)
    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="activations", verbose_name=_("area")
    )
    effective_from = models.DateTimeField(_("in force from"))
    reason = models.CharField(_("reason"), max_length=200)
    proposed_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("proposed by")
    )
    proposer_employer = models.CharField(_("employer of the first"), max_length=60, blank=True)
    proposed_at = models.DateTimeField(_("proposed at"))
    approved_by = models.ForeignKey(
        User,
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        blank=True,
        verbose_name=_("approved by"),
    )
    approver_employer = models.CharField(_("employer of the second"), max_length=60, blank=True)
    approved_at = models.DateTimeField(_("approved at"), null=True, blank=True)
    withdrawal_reason = models.CharField(_("reason of the withdrawal"), max_length=200, blank=True)

    objects = ActivationQuerySet.as_manager()

    class Meta:
        verbose_name = _("activation")
        verbose_name_plural = _("activations")
        constraints = [
            models.UniqueConstraint(
                fields=["area"],
                name="activation_one_waiting",
                condition=Q(approved_at=None, withdrawn_at=None),
            ),
            models.CheckConstraint(
                name="activation_two_people",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("proposed_by")),
            ),
            set_together("approved", name="activation_approval_whole"),
            set_together("withdrawn", name="activation_withdrawal_whole"),
        ]
        triggers = [
            KEPT,
            TWO_EMPLOYERS,
            two_voices(first="proposed_by_id", second="approved_by_id"),
            pgtrigger.Protect(
                name="proposal_unchanged",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    *("document", "area", "effective_from", "reason"),
                    *("proposed_by", "proposer_employer", "proposed_at"),
                ),
            ),
            pgtrigger.Protect(
                name="approved_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "OLD.approved_at IS NOT NULL"
                    " AND (OLD.approved_by_id, OLD.approver_employer, OLD.approved_at) IS"
                    " DISTINCT FROM (NEW.approved_by_id, NEW.approver_employer, NEW.approved_at)"
                ),
            ),
            pgtrigger.Protect(
                name="withdrawn_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__withdrawn_at__isnull=False),
            ),
            pgtrigger.Protect(
                name="withdrawn_for_a_reason",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(new__withdrawn_at__isnull=False, new__withdrawal_reason=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.document} · {self.area}"


# Choices are part of what the second person approves.
BEFORE_APPROVAL = pgtrigger.Trigger(
    name="before_approval",
    when=pgtrigger.Before,
    operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
    declare=[("chosen_for", "policy_activation%ROWTYPE")],
    func="""
        SELECT a.* INTO chosen_for FROM policy_activation a
            WHERE a.id = (CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END).activation_id
            FOR SHARE;
        IF chosen_for.approved_at IS NOT NULL OR chosen_for.withdrawn_at IS NOT NULL THEN
            RAISE EXCEPTION 'choice_before_approval: this activation is decided on';
        END IF;
        RETURN CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END;
    """,
)


class TransitionChoice(models.Model):
    """
    The choice that a stricter provision reaches open cases too, for one subject of an activation.

    Without one, what is stricter is for new cases only. What is more lenient applies at once
    and nobody can choose otherwise (readings, "Switching and comparing").
    """

    activation = models.ForeignKey(
        Activation, on_delete=models.PROTECT, related_name="choices", verbose_name=_("activation")
    )
    subject = models.CharField(_("subject"), max_length=40)  # of the new provision
    reason = models.CharField(_("reason"), max_length=200)
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("chosen by")
    )
    at = models.DateTimeField(_("chosen at"))

    class Meta:
        verbose_name = _("transition choice")
        verbose_name_plural = _("transition choices")
        constraints = [
            models.UniqueConstraint(
                fields=["activation", "subject"], name="transition_choice_once"
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="transition_choice_has_reason"),
        ]
        triggers = [BEFORE_APPROVAL]

    def __str__(self) -> str:
        return f"{self.subject} of {self.activation}"


class StoredDocumentQuerySet(models.QuerySet["StoredDocument"]):
    """Questions about uploaded documents."""

    def approved(self) -> Self:
        """Return the documents that decide like the shipped ones."""
        return self.filter(approved_at__isnull=False)

    def waiting(self) -> Self:
        """Return the drafts that a second person may approve."""
        return self.filter(approved_at=None, discarded_at=None)


class StoredDocument(models.Model):
    """
    A document that an administrator uploaded: a draft until a second one approves it.

    `content` is the file byte for byte, `examples` the file of its worked examples, if any; the
    database keeps both, and the hash of the first, unchanged.
    """

    document = models.CharField(_("document"), max_length=60)
    content = models.BinaryField(_("file"))
    sha256 = models.CharField(_("SHA-256"), max_length=64)
    examples = models.BinaryField(_("worked examples"), default=b"", blank=True)
    uploaded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("uploaded by")
    )
    uploaded_at = models.DateTimeField(_("uploaded at"))
    approved_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("approved by")
    )
    approved_at = models.DateTimeField(_("approved at"), null=True)
    discarded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", null=True, verbose_name=_("discarded by")
    )
    discarded_at = models.DateTimeField(_("discarded at"), null=True)

    objects = StoredDocumentQuerySet.as_manager()

    class Meta:
        verbose_name = _("uploaded document")
        verbose_name_plural = _("uploaded documents")
        constraints = [
            models.UniqueConstraint(
                fields=["document"], name="stored_document_once", condition=Q(discarded_at=None)
            ),
            models.CheckConstraint(
                name="stored_document_two_people",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("uploaded_by")),
            ),
            set_together("approved", name="stored_document_approval_whole", discarded_at=None),
        ]
        triggers = [
            KEPT,
            two_voices(first="uploaded_by_id", second="approved_by_id"),
            pgtrigger.Protect(
                name="file_unchanged",
                operation=pgtrigger.Update,
                condition=pgtrigger.AnyChange(
                    "document", "content", "sha256", "examples", "uploaded_by"
                ),
            ),
            pgtrigger.Protect(
                name="approved_for_good",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__approved_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.document


class ApiClient(models.Model):
    """A program that may put questions to the law; its key is kept as a hash only."""

    name = models.CharField(pgettext_lazy("of a program", "name"), max_length=60, unique=True)
    key_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("made by")
    )
    created_at = models.DateTimeField(_("made at"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API client")
        verbose_name_plural = _("API clients")

    def __str__(self) -> str:
        return self.name


class Justification(models.Model):
    """
    Why a place asks more than the nation: one provision of a document, in one area.

    A later text for the same provision takes the place of an earlier one, which stays.
    """

    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="+", verbose_name=_("area")
    )
    document = models.CharField(_("document"), max_length=60)
    clause = models.CharField(_("clause"), max_length=10)
    subject = models.CharField(_("subject"), max_length=40)
    text = models.CharField(_("justification"), max_length=500)
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("given by")
    )
    at = models.DateTimeField(_("given at"))

    class Meta:
        verbose_name = _("justification")
        verbose_name_plural = _("justifications")
        indexes = [models.Index(fields=["document", "area"], name="justification_of")]
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="justification_says_something")
        ]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete)
        ]

    def __str__(self) -> str:
        return f"{self.document} {self.clause} {self.subject}"
