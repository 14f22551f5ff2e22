"""Filters of cases and arrivals: one object behind a number and the list it opens."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Area, User
from policy import words
from policy.engine.schema import MEASURE_SUBJECTS
from quarantine.models import Arrival, ArrivalQuerySet, Case, CaseQuerySet, Plan
from testing.models import NATResult, Sample

# The subjects that a measure can rest on.
SUBJECTS = [(subject, words.SUBJECTS[subject]) for subject in MEASURE_SUBJECTS]
# Samples of the case in question whose result is not there yet.
_AWAITED = Sample.objects.valid().filter(
    ~Exists(NATResult.objects.valid().filter(sample=OuterRef("pk"))),
    resident=OuterRef("resident"),
    day__gte=OuterRef("day_1"),
)


class InAreas(django_filters.FilterSet):
    """What both filters share: whose areas, and which day it is."""

    area = django_filters.CharFilter(label=_("Area"), method="lies_in")

    def __init__(self, data: Any = None, *, user: User, today: date, **kwargs: Any) -> None:
        self.user, self.today = user, today
        super().__init__(data, **kwargs)

    def lies_in(self, rows: QuerySet[Any], _name: str, code: str) -> QuerySet[Any]:
        """Keep what lies in the area with this code, if it is one of the user's."""
        area = Area.objects.below(self.user).filter(code=code).first()
        return rows.filter(grid__path__startswith=area.path) if area else rows.none()


class CaseFilter(InAreas):
    """
    Which cases: `CaseFilter(request.GET, user=…, today=…).qs`.

    Always narrowed to what `user` may see; open cases unless `state` says otherwise.
    """

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("closed", _("Closed")), ("all", _("Open and closed"))],
        empty_label=_("Open"),
        method="in_state",
    )
    measure = django_filters.ChoiceFilter(
        label=_("Reason"),
        choices=SUBJECTS,
        field_name="plan__provision__subject",
        empty_label=_("All reasons"),
    )
    stage = django_filters.ChoiceFilter(
        label=_("Stage"),
        choices=[*words.SETTINGS.items(), ("none", _("Tests only"))],
        empty_label=_("All stages"),
        method="in_stage",
    )
    test = django_filters.ChoiceFilter(
        label=_("Test"),
        choices=[("today", _("Due today")), ("overdue", _("Overdue"))],
        empty_label=_("All tests"),
        method="with_test",
    )
    release = django_filters.ChoiceFilter(
        label=_("Release"),
        choices=[
            ("due", _("Day has come")),
            ("ready", _("Ready")),
            ("blocked", _("Blocked")),
        ],
        empty_label=_("All releases"),
        method="with_release",
    )

    class Meta:
        model = Case
        fields: list[str] = []

    def __init__(self, data: Any = None, *, user: User, today: date) -> None:
        super().__init__(data, user=user, today=today, queryset=Case.objects.visible_to(user))

    @property
    def qs(self) -> CaseQuerySet:
        """Return the cases; without a state those that are open."""
        cases: CaseQuerySet = super().qs
        return cases if self.form.cleaned_data.get("state") else cases.open()

    def in_state(self, cases: CaseQuerySet, _name: str, state: str) -> CaseQuerySet:
        """Keep closed cases, or all."""
        return cases.exclude(closed_on=None) if state == "closed" else cases

    def in_stage(self, cases: CaseQuerySet, _name: str, stage: str) -> CaseQuerySet:
        """Keep the cases that their plan puts in this setting today."""
        return cases.filter(_in_setting(stage, self.today))

    def with_test(self, cases: CaseQuerySet, _name: str, test: str) -> CaseQuerySet:
        """Keep the cases whose next test is due today, or overdue."""
        if test == "today":
            return cases.filter(closed_on=None, next_test_on=self.today)
        return cases.filter(closed_on=None, next_test_on__lt=self.today)

    def with_release(self, cases: CaseQuerySet, _name: str, release: str) -> CaseQuerySet:
        """Keep the cases whose day has come: all, with every test, or with one missing."""
        due = cases.release_due(self.today)
        if release == "due":
            return due
        ready = due.filter(next_test_on=None).exclude(Exists(_AWAITED))
        return ready if release == "ready" else due.exclude(pk__in=ready.values("pk"))


class ArrivalFilter(InAreas):
    """Which arrivals: those of a day, by what the law asked."""

    day = django_filters.DateFilter(label=_("Day"), field_name="arrived_on")
    measure = django_filters.ChoiceFilter(
        label=_("Reason"),
        choices=[*SUBJECTS, ("none", _("No measure"))],
        empty_label=_("All"),
        method="under_measure",
    )

    class Meta:
        model = Arrival
        fields: list[str] = []

    def __init__(self, data: Any = None, *, user: User, today: date) -> None:
        arrivals = Arrival.objects.visible_to(user).valid()
        super().__init__(data, user=user, today=today, queryset=arrivals)

    def under_measure(
        self, arrivals: ArrivalQuerySet, _name: str, measure: str
    ) -> ArrivalQuerySet:
        """Keep the arrivals whose case rests on this subject, or that opened none."""
        if measure == "none":
            return arrivals.filter(case=None)
        return arrivals.filter(provision__subject=measure, case__isnull=False)


def _in_setting(stage: str, today: date) -> Q:
    """
    Return the condition that a case is in a setting on a day, by its plan and day 1.

    A few hundred plans have a few shapes. Who is still held after the last mandatory day stays
    where they were.
    """
    plans = defaultdict(list)
    for pk, stages in Plan.objects.values_list("pk", "content__stages"):
        plans[tuple((s["setting"], s["days"], s["force"]) for s in stages)].append(pk)
    condition = Q(pk__in=[])
    for shape, pks in plans.items():
        if stage == "none":
            condition |= Q(plan__in=pks) if not shape else Q(pk__in=[])
            continue
        for first, last in _spans(shape, stage):
            span = Q(plan__in=pks, day_1__lte=today - timedelta(days=first - 1))
            if last is not None:
                span &= Q(day_1__gt=today - timedelta(days=last))
            condition |= span
    return condition


def _spans(shape: tuple[tuple[str, int, str], ...], stage: str) -> list[tuple[int, int | None]]:
    """Return the first and last day numbers of a setting; None where it lasts till release."""
    before, spans = 0, list[tuple[int, int | None]]()
    for place, (setting, days, _force) in enumerate(shape):
        last = None if place == len(shape) - 1 else before + days
        if setting == stage:
            spans.append((before + 1, last))
        before += days
    return spans
