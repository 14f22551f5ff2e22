"""Filters of cases and arrivals: one object behind a number and the list it opens."""

from __future__ import annotations

from datetime import date
from typing import Any

import django_filters
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.staff.models import Area, User
from policy import words
from policy.engine.documents.schema import MEASURE_SUBJECTS
from quarantine.cases.plans import all_plans
from quarantine.cases.readiness import Readiness, conditions
from quarantine.lists.forecast import (
    FREED,
    TESTS_ONLY,
    Forecast,
    forecast,
    stage_conditions,
)
from quarantine.models import Arrival, ArrivalQuerySet, Case, CaseQuerySet
from quarantine.todo.models import Todo
from testing.models import Sample

# Whether the law passed an arrival on to medical care: that is no "no measure".
REFERRED = Exists(Todo.objects.valid().filter(kind=Todo.Kind.REFER, arrival=OuterRef("pk")))
WITHOUT_CASE = {"none": _("No measure"), "referred": _("Passed to medical care")}
# The subjects that a measure can rest on.
SUBJECTS = [(subject, words.SUBJECTS[subject]) for subject in MEASURE_SUBJECTS]


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

    Always narrowed to what `user` may see. People under a measure, each by the case that governs,
    unless `state` asks for closed cases.
    """

    state = django_filters.ChoiceFilter(
        label=_("State"),
        choices=[("closed", pgettext_lazy("a case", "Closed")), ("all", _("Open and closed"))],
        empty_label=pgettext_lazy("a case", "Open"),
        method="in_state",
    )
    measure = django_filters.ChoiceFilter(
        label=pgettext_lazy("of a measure", "Reason"),
        choices=SUBJECTS,
        field_name="plan__provision__subject",
        empty_label=_("All kinds"),
    )
    stage = django_filters.ChoiceFilter(
        label=_("Stage"),
        choices=[
            *words.SETTINGS.items(),
            (TESTS_ONLY, _("Tests only")),
            (FREED, _("No longer held")),
        ],
        empty_label=_("All stages"),
        method="in_stage",
    )
    test = django_filters.ChoiceFilter(
        label=_("Test"),
        choices=[
            ("today", _("Due today")),
            ("overdue", pgettext_lazy("a test", "Overdue")),
            ("done", _("Taken today")),
        ],
        empty_label=_("All tests"),
        method="with_test",
    )
    release = django_filters.ChoiceFilter(
        label=pgettext_lazy("the act", "Release"),
        choices=[
            ("due", _("Day has come")),
            (Readiness.READY.value, _("Ready")),
            (Readiness.FREED.value, _("No longer held")),
            (Readiness.BLOCKED.value, _("Blocked")),
        ],
        empty_label=_("All releases"),
        method="with_release",
    )

    on = django_filters.DateFilter(label=_("Under a measure on"), method="open_on")
    needs_test = django_filters.DateFilter(label=_("Needs a test on"), method="needing_test_on")

    class Meta:
        model = Case
        fields: list[str] = []

    def __init__(self, data: Any = None, *, user: User, today: date) -> None:
        super().__init__(data, user=user, today=today, queryset=Case.objects.visible_to(user))

    @property
    def qs(self) -> CaseQuerySet:
        """Return the cases; without a state or a day of its own one for each person."""
        cases: CaseQuerySet = super().qs
        chosen = self.form.cleaned_data
        all_states = chosen.get("state") or chosen.get("on") or chosen.get("test") == "done"
        return cases if all_states else cases.governing()

    def in_state(self, cases: CaseQuerySet, _name: str, state: str) -> CaseQuerySet:
        """Keep closed cases, or these and the people under a measure."""
        closed = ~Q(closed_on=None)
        return cases.filter(closed if state == "closed" else closed | Q(governs=True))

    def in_stage(self, cases: CaseQuerySet, _name: str, stage: str) -> CaseQuerySet:
        """Keep the cases that their plan puts in this setting today, or on the day asked about."""
        if day := self.form.cleaned_data.get("on"):
            return cases.filter(pk__in=self._forecast(cases, day).by_stage(day)[stage])
        return cases.filter(stage_conditions(all_plans(), today=self.today)[stage])

    def with_test(self, cases: CaseQuerySet, _name: str, test: str) -> CaseQuerySet:
        """Keep the people who need a test today, owe one of an earlier day, or gave one today."""
        if test == "today":
            return self.needing_test_on(cases, _name, self.today)
        return cases.filter(conditions_of_tests(self.today)[test])

    def with_release(self, cases: CaseQuerySet, _name: str, release: str) -> CaseQuerySet:
        """Keep the people whose day has come: all, or as near to the end as `Readiness` says."""
        return cases.filter(conditions_of_releases(self.today)[release])

    def open_on(self, cases: CaseQuerySet, _name: str, day: date) -> CaseQuerySet:
        """Keep the cases that were under a measure on a day, or are expected to be."""
        by_stage = self._forecast(cases, day).by_stage(day)
        return cases.filter(pk__in=[pk for pks in by_stage.values() for pk in pks])

    def needing_test_on(self, cases: CaseQuerySet, _name: str, day: date) -> CaseQuerySet:
        """Keep the people who need a test on a day to come, on whatever ground."""
        expected = forecast(cases=cases.open(), today=self.today)
        return cases.filter(pk__in=expected.needing_test(day))

    def _forecast(self, cases: CaseQuerySet, day: date) -> Forecast:
        return forecast(cases=cases, today=self.today, since=min(day, self.today))


class ArrivalFilter(InAreas):
    """Which arrivals: those of a day, by what the law asked."""

    day = django_filters.DateFilter(label=_("Day"), field_name="arrived_on")
    measure = django_filters.ChoiceFilter(
        label=pgettext_lazy("of a measure", "Reason"),
        choices=[*SUBJECTS, *WITHOUT_CASE.items()],
        empty_label=_("All"),
        method="under_measure",
    )

    class Meta:
        model = Arrival
        fields: list[str] = []

    def __init__(self, data: Any = None, *, user: User, today: date) -> None:
        arrivals = Arrival.objects.visible_to(user).valid().annotate(referred=REFERRED)
        super().__init__(data, user=user, today=today, queryset=arrivals)

    def under_measure(
        self, arrivals: ArrivalQuerySet, _name: str, measure: str
    ) -> ArrivalQuerySet:
        """Keep the arrivals whose case rests on this subject, or that opened none, and why."""
        if measure in WITHOUT_CASE:
            return arrivals.filter(REFERRED if measure == "referred" else ~REFERRED, case=None)
        return arrivals.filter(provision__subject=measure, case__isnull=False)


def conditions_of_tests(today: date) -> dict[str, Q]:
    """
    Return, for choices about tests, the condition on a case that governs.

    Whose earliest test is today is not all who need one today: others are overdue besides.
    """
    taken = Sample.objects.valid().filter(resident=OuterRef("resident"), day=today)
    return {
        "earliest": Q(closed_on=None, governs=True, next_test_on=today),
        "overdue": Q(closed_on=None, governs=True, next_test_on__lt=today),
        "done": Q(Exists(taken), governs=True) & (Q(closed_on=None) | Q(closed_on__gte=today)),
    }


def conditions_of_releases(today: date) -> dict[str, Q]:
    """Return, for each choice about release, the condition on a case that governs."""
    due = Q(closed_on=None, governs=True, release_on__lte=today)
    near = conditions(today)
    listed = (Readiness.READY, Readiness.FREED, Readiness.BLOCKED)
    return {"due": due, **{readiness.value: near[readiness] for readiness in listed}}
