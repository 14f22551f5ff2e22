"""Samples, results and local outbreaks: facts that are never changed, only withdrawn."""

import uuid
from typing import Any, Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from accounts.scope import people_within
from accounts.staff.models import Area, User
from accounts.withdrawal import (
    KEPT,
    ONLY_WITHDRAWN,
    Withdrawable,
    WithdrawableQuerySet,
    set_together,
)
from policy.engine.decisions.facts import MOST_CT
from residents.closings.models import OF_RESIDENT, frozen
from residents.duplicates.models import ONLY_WITHDRAWN_OR_MERGED, SAME_PERSON
from residents.register.models import Resident

LONGEST_TUBE = 30


class SampleQuerySet(WithdrawableQuerySet["Sample"]):
    """Queries on samples."""

    def visible_to(self, user: Any) -> Self:
        """Return the samples of residents below the areas of `user`."""
        return self.filter(people_within(user, "resident__grid__path"))

    def awaited(self) -> Self:
        """Return the valid samples without a valid result."""
        results = NATResult.objects.valid().filter(sample=OuterRef("pk"))
        return self.valid().filter(~Exists(results))

    def to_check(self) -> Self:
        """Return the samples of pools found positive, which no single tube has decided yet."""
        results = NATResult.objects.valid()
        positive = results.filter(sample=OuterRef("pk"), outcome=NATResult.Outcome.POSITIVE)
        decided = results.exclude(outcome__in=NATResult.NO_RESULT).filter(
            sample__resident=OuterRef("resident"),
            sample__pooled=False,
            sample__day__gte=OuterRef("day"),
        )
        return self.valid().filter(Exists(positive), ~Exists(decided), pooled=True)

    def of_tube(self, sample: "Sample") -> Self:
        """Return the valid samples in the tube of a pooled one: one code, day and community."""
        community = sample.resident.grid.path[: -Area.steplen]
        return self.valid().filter(
            pooled=True,
            tube=sample.tube,
            day=sample.day,
            resident__grid__path__startswith=community,
        )


class Sample(Withdrawable):
    """
    A swab, alone or in a tube with others; at most one a person and day (101号 clause 6).

    Where the tube of a pool is positive each of its people is to be checked with a tube of their
    own, the same day as well. `tube` is the code that the samples of a pool share.
    """

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    resident = models.ForeignKey(
        Resident, on_delete=models.PROTECT, related_name="samples", verbose_name=_("resident")
    )
    day = models.DateField(_("day"))
    taken_at = models.DateTimeField(_("taken at"))
    taken_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("taken by")
    )
    recorded_at = models.DateTimeField(_("recorded at"))
    pooled = models.BooleanField(_("pooled"), default=False)
    tube = models.CharField(_("code of the tube"), max_length=LONGEST_TUBE, blank=True)

    objects = SampleQuerySet.as_manager()

    class Meta:
        verbose_name = _("sample")
        verbose_name_plural = _("samples")
        constraints = [
            models.UniqueConstraint(
                fields=["resident", "day", "pooled"],
                name="sample_once_a_day",
                condition=Q(withdrawn_at=None),
            ),
            models.CheckConstraint(
                name="pool_has_a_tube",
                condition=Q(pooled=False, tube="") | (Q(pooled=True) & ~Q(tube="")),
            ),
        ]
        indexes = [
            models.Index(fields=["tube", "day"], name="sample_of_tube", condition=Q(pooled=True))
        ]
        triggers = [
            ONLY_WITHDRAWN_OR_MERGED,
            SAME_PERSON,
            KEPT,
            frozen("last_sample", rows=OF_RESIDENT),
        ]

    def __str__(self) -> str:
        return f"sample {self.key}"


class NATResultQuerySet(WithdrawableQuerySet["NATResult"]):
    """Queries on results."""

    def visible_to(self, user: Any) -> Self:
        """Return the results of residents below the areas of `user`."""
        return self.filter(people_within(user, "sample__resident__grid__path"))

    def valid(self) -> Self:
        """Return the results that are not withdrawn, of samples that are not withdrawn."""
        return super().valid().filter(sample__withdrawn_at=None)


class NATResult(Withdrawable):
    """The laboratory's result of a sample. Of two genes, `ct` is the lower."""

    class Outcome(models.TextChoices):
        NEGATIVE = "negative", _("Negative")
        POSITIVE = "positive", _("Positive")
        LOST = "lost", _("No result: sample lost")
        SPOILT = "spoilt", _("No result: sample spoilt")
        INVALID = "invalid", _("No result: invalid or inhibited")

    # The laboratory found nothing out: the day counts as missed, never as negative.
    NO_RESULT = (Outcome.LOST, Outcome.SPOILT, Outcome.INVALID)

    sample = models.ForeignKey(
        Sample, on_delete=models.PROTECT, related_name="results", verbose_name=_("sample")
    )
    outcome = models.CharField(_("result"), max_length=10, choices=Outcome)
    ct = models.DecimalField(
        _("Ct value"),
        max_digits=4,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(MOST_CT)],
    )
    reported_at = models.DateTimeField(_("reported at"))
    recorded_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("recorded by")
    )
    recorded_at = models.DateTimeField(_("recorded at"))

    objects = NATResultQuerySet.as_manager()

    class Meta:
        verbose_name = _("result")
        verbose_name_plural = _("results")
        constraints = [
            models.UniqueConstraint(
                fields=["sample"], name="result_once_a_sample", condition=Q(withdrawn_at=None)
            ),
            models.CheckConstraint(
                name="ct_in_range", condition=Q(ct=None) | Q(ct__gte=0, ct__lte=MOST_CT)
            ),
            models.CheckConstraint(
                name="outcome_known",
                condition=Q(outcome__in=["negative", "positive", "lost", "spoilt", "invalid"]),
            ),
            models.CheckConstraint(
                name="no_ct_without_result",
                condition=Q(ct=None) | Q(outcome__in=["negative", "positive"]),
            ),
        ]
        triggers = [
            ONLY_WITHDRAWN,
            KEPT,
            frozen(
                "last_sample",
                rows="SELECT resident_id, id FROM testing_sample WHERE id = this.sample_id",
                inserts=True,
            ),
        ]

    def __str__(self) -> str:
        return f"result of sample {self.sample_id}"

    @property
    def in_words(self) -> str:
        """Return the outcome with its Ct value, in the language of the page."""
        ct = "" if self.ct is None else _("Ct %(ct)s") % {"ct": self.ct}
        return " · ".join(filter(None, [self.get_outcome_display(), str(ct)]))


class LocalOutbreakQuerySet(WithdrawableQuerySet["LocalOutbreak"]):
    """Queries on declared local outbreaks."""

    def over(self, area: Area) -> Self:
        """Return the valid outbreaks declared for `area` or an area above it."""
        steps = range(Area.steplen, len(area.path) + 1, Area.steplen)
        return self.valid().filter(area__path__in=[area.path[:end] for end in steps])


class LocalOutbreak(Withdrawable):
    """
    A declaration by which an area asks for the shorter proof that a clause allows.

    Yingkou 5: 72 hours at every door, 48 where there is a local outbreak.
    """

    area = models.ForeignKey(
        Area, on_delete=models.PROTECT, related_name="+", verbose_name=_("area")
    )
    reason = models.CharField(_("reason"), max_length=200)
    declared_at = models.DateTimeField(_("declared at"))
    declared_by = models.ForeignKey(
        User, on_delete=models.PROTECT, related_name="+", verbose_name=_("declared by")
    )

    objects = LocalOutbreakQuerySet.as_manager()

    class Meta:
        verbose_name = _("local outbreak")
        verbose_name_plural = _("local outbreaks")
        constraints = [
            models.UniqueConstraint(
                fields=["area"], name="outbreak_once", condition=Q(withdrawn_at=None)
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="outbreak_has_a_reason"),
            set_together("withdrawn", name="outbreak_withdrawal_whole"),
        ]
        triggers = [ONLY_WITHDRAWN, KEPT]

    def __str__(self) -> str:
        return f"local outbreak in {self.area}"
