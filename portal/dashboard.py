"""
The numbers of the supervisor's overview, each with the link to exactly the people behind it.

A number is counted under the same conditions as the list it opens (`quarantine.lists.filters`);
a test walks all of them. The work of a page is a handful of queries, however many areas and cases.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any
from urllib.parse import urlencode

from django.db.models import BooleanField, Count, ExpressionWrapper, F, Q, Value
from django.urls import reverse
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from accounts.staff.models import Area, User
from policy.words import SUBJECTS
from portal.staffing.load import Staffing, staffing_of
from quarantine.cases.plans import all_plans
from quarantine.lists.area_table import AreaRow, LinkedNumber, place_of, shown_areas
from quarantine.lists.filters import (
    REFERRED,
    WITHOUT_CASE,
    conditions_of_releases,
    conditions_of_tests,
)
from quarantine.lists.forecast import (
    FREED,
    STAGES,
    TESTS_ONLY,
    Forecast,
    forecast,
    stage_conditions,
)
from quarantine.models import Arrival, Case
from quarantine.todo.models import Todo
from reminders.models import Message

PAGES = ("arrival_list", "case_list", "undelivered", "todo_list")
DAYS = 14
_LEVELS = ("community", "street", "county", "city", "province")

LABELS = {
    "arrivals": _("Arrived today"),
    "open": _("Open cases"),
    "central": _("Central"),
    "home": _("At home"),
    "monitoring": pgettext_lazy("a measure", "Monitoring"),
    TESTS_ONLY: _("Tests only"),
    FREED: _("No longer held"),
    "test_today": pgettext_lazy("tests", "Due"),
    "test_done": _("Taken"),
    "test_overdue": pgettext_lazy("a test", "Overdue"),
    "release_ready": _("Ready"),
    "release_blocked": _("Blocked"),
    "undelivered": _("Undelivered"),
    "todo": _("To do"),
}


@dataclass(frozen=True)
class Part:
    """A segment of a bar that is 100 wide."""

    key: str
    start: str
    width: str


@dataclass(frozen=True)
class Bars:
    """A bar chart: days, and for each series a number a day."""

    days: list[date]
    series: dict[str, list[LinkedNumber]]

    @property
    def names(self) -> list[str]:
        """Return the labels of the series."""
        return [str(LABELS[key]) for key in self.series]

    def rows(self) -> list[tuple[date, list[LinkedNumber]]]:
        """Return the same by day, for a table."""
        columns = list(self.series.values())
        return [(day, [column[i] for column in columns]) for i, day in enumerate(self.days)]

    def data(self, *, today: date) -> dict[str, Any]:
        """Return the same as JSON values, for a chart."""
        return {
            "days": [f"{day:%m-%d}" for day in self.days],
            "today": f"{today:%m-%d}",
            "todayLabel": gettext("Today"),
            "series": [
                {"name": name, "key": key, "values": [number.value for number in column]}
                for name, (key, column) in zip(self.names, self.series.items(), strict=True)
            ],
        }


def share(numbers: Sequence[LinkedNumber]) -> list[Part]:
    """Return numbers as the parts of a bar, nothing where all are 0."""
    total, before = sum(number.value for number in numbers), 0.0
    parts = []
    for number in numbers:
        if number.value:
            width = 100 * number.value / total
            parts.append(Part(number.key, f"{before:.2f}", f"{width:.2f}"))
            before += width
    return parts


class Dashboard:
    """The overview of what `user` answers for, or of one area in it, on a day."""

    def __init__(self, *, user: User, today: date, code: str = "") -> None:
        self.user, self.today = user, today
        self.areas: list[Area] = list(Area.objects.below(user).order_by("path"))
        self.scope = next((area for area in self.areas if area.code == code), None)

    @cached_property
    def totals(self) -> dict[str, LinkedNumber]:
        """Return the numbers of the whole scope."""
        return {number.key: number for number in self._numbers(self.scope)}

    @cached_property
    def arrivals_by_measure(self) -> list[LinkedNumber]:
        """Return today's arrivals by what the law asked of them, the most first."""
        counts: Counter[str] = Counter()
        for (_grid, measure), count in self._arrivals.items():
            counts[measure] += count
        return [
            LinkedNumber(
                measure,
                count,
                self._link("arrival_list", day=self.today, measure=measure),
                str({**SUBJECTS, **WITHOUT_CASE}[measure]),
            )
            for measure, count in counts.most_common()
        ]

    @property
    def stages(self) -> list[LinkedNumber]:
        """Return the people under a measure by stage."""
        return [self.totals[stage] for stage in STAGES]

    @property
    def stages_bar(self) -> list[Part]:
        """Return the stages as parts of one bar."""
        return share(self.stages)

    @property
    def tests_bar(self) -> list[Part]:
        """Return the people with a test taken, due and overdue as parts of one bar, each once."""
        parts = (("test_done", "only_done"), ("test_today", "only_due"))
        once = [replace(self.totals[key], value=self._total(only)) for key, only in parts]
        return share([*once, self.totals["test_overdue"]])

    def _total(self, key: str) -> int:
        grids = [grid.pk for grid in self._grids if grid.path.startswith(self._scope_path)]
        return sum(self._cases.get(grid, {}).get(key, 0) for grid in grids)

    @property
    def by_grid(self) -> bool:
        """Return whether the rows are grids."""
        return all(area.level == Area.Level.GRID for area in self._shown)

    @cached_property
    def rows(self) -> list[AreaRow]:
        """Return the numbers of each community, or of each grid of the chosen one."""
        outside = [area for area in self.areas if area not in self.path]
        return [
            AreaRow(area, place_of(area, outside), self._down(area), list(self._numbers(area)))
            for area in self._shown
        ]

    @cached_property
    def open_cases(self) -> Bars:
        """Return the open cases by stage of the last days and, as expected, of the next ones."""
        days = [self.today + timedelta(days=n) for n in range(-DAYS, DAYS)]
        counts_by_day = [self._forecast.counts(day) for day in days]
        return Bars(
            days,
            {
                stage: [
                    self._number(
                        stage,
                        counts[stage],
                        self._link("case_list", stage=stage, on=day),
                    )
                    for day, counts in zip(days, counts_by_day, strict=True)
                ]
                for stage in STAGES
            },
        )

    @cached_property
    def tests(self) -> Bars:
        """Return the tests that the coming days will need."""
        days = [self.today + timedelta(days=n) for n in range(DAYS)]
        needed = [
            self._number(
                "test_today",
                len(self._forecast.needing_test(day)),
                self._link("case_list", needs_test=day),
            )
            for day in days
        ]
        return Bars(days, {"test_today": needed})

    @cached_property
    def staffing(self) -> Staffing:
        """Return the grids of the scope that nobody holds, and staff with too much to do."""
        grids = [grid for grid in self._grids if grid.path.startswith(self._scope_path)]
        return staffing_of(grids, {pk: counts["open"] for pk, counts in self._cases.items()})

    @cached_property
    def path(self) -> list[Area]:
        """Return the areas above the scope that the user answers for, from the top."""
        if not self.scope:
            return []
        return [area for area in self.areas if self.scope.path.startswith(area.path)]

    @cached_property
    def _forecast(self) -> Forecast:
        return forecast(
            cases=Case.objects.visible_to(self.user).filter(self._in_scope),
            today=self.today,
            since=self.today - timedelta(days=DAYS),
        )

    @property
    def _in_scope(self) -> Q:
        return Q(grid__path__startswith=self.scope.path) if self.scope else Q()

    @cached_property
    def _shown(self) -> Sequence[Area]:
        """Return the areas of the rows: a community's grids, else communities if not too many."""
        below = [area for area in self.areas if area.path.startswith(self._scope_path)]
        if self.scope and self.scope.level in {"community", "grid"}:
            return [area for area in below if area.level == "grid"]
        return shown_areas(below, _LEVELS) or [area for area in below if area.level == "grid"]

    @property
    def _scope_path(self) -> str:
        return self.scope.path if self.scope else ""

    def _down(self, area: Area) -> str:
        if area.level == Area.Level.GRID:
            return ""
        return f"{reverse('dashboard')}?{urlencode({'area': area.code})}"

    def _numbers(self, area: Area | None) -> Iterable[LinkedNumber]:
        prefix = area.path if area else ""
        grids = {grid.pk for grid in self._grids if grid.path.startswith(prefix)}
        # A release that is blocked on its day is to be looked after like a danger.
        todos = sum(
            self._besides["todo"].get(grid, 0)
            + self._cases.get(grid, {}).get("release_blocked", 0)
            for grid in grids
        )
        yield self._number("todo", todos, self._link("todo_list", area))
        yield self._number(
            "arrivals",
            sum(count for (grid, _measure), count in self._arrivals.items() if grid in grids),
            self._link("arrival_list", area, day=self.today),
        )
        for key, asked in self._asked.items():
            count = sum(self._cases.get(grid, {}).get(key, 0) for grid in grids)
            yield self._number(key, count, self._link("case_list", area, **asked))
        undelivered = sum(self._besides["undelivered"].get(grid, 0) for grid in grids)
        yield self._number("undelivered", undelivered, self._link("undelivered", area))

    def _number(self, key: str, value: int, url: str) -> LinkedNumber:
        return LinkedNumber(key, value, url, self._labels[key])

    @cached_property
    def _labels(self) -> dict[str, str]:
        return {key: str(label) for key, label in LABELS.items()}

    @property
    def _asked(self) -> dict[str, dict[str, object]]:
        """Return what each number of the table asks `CaseFilter` for."""
        return {
            "open": {},
            **{stage: {"stage": stage} for stage in STAGES},
            "test_today": {"needs_test": self.today},
            "test_done": {"test": "done"},
            "test_overdue": {"test": "overdue"},
            "release_ready": {"release": "ready"},
            "release_blocked": {"release": "blocked"},
        }

    def _link(self, name: str, area: Area | None = None, **asked: object) -> str:
        area = area or self.scope
        parts = [urlencode({"area": area.code})] if area else []
        # Keys, days and words of the law: nothing that an address would have to escape.
        parts += [f"{key}={value}" for key, value in asked.items()]
        return self._addresses[name] + (f"?{'&'.join(parts)}" if parts else "")

    @cached_property
    def _addresses(self) -> dict[str, str]:
        return {name: reverse(name) for name in PAGES}

    @cached_property
    def _grids(self) -> list[Area]:
        return [area for area in self.areas if area.level == Area.Level.GRID]

    @cached_property
    def _cases(self) -> Mapping[int, Mapping[str, int]]:
        """Return the numbers of cases by grid, all in one query."""
        rows: Iterable[Any] = (
            Case.objects.visible_to(self.user)
            .filter(self._in_scope, Q(closed_on=None) | Q(closed_on__gte=self.today))
            .order_by()
            .values("grid")
            .annotate(**{f"n_{key}": Count("pk", filter=q) for key, q in self._conditions.items()})
        )
        counts_of_grid = {}
        for row in rows:
            counts = {key: row[f"n_{key}"] for key in self._conditions}
            # Whose day has come is ready, freed or blocked: the database need not look twice.
            others = counts["release_ready"] + counts["release_freed"]
            counts["release_blocked"] = counts["release_due"] - others
            counts_of_grid[row["grid"]] = counts
        return counts_of_grid

    @cached_property
    def _conditions(self) -> dict[str, Q]:
        still_open = Q(closed_on=None, governs=True)
        stages = stage_conditions(all_plans(), today=self.today)
        tests = conditions_of_tests(self.today)
        releases = conditions_of_releases(self.today)
        return {
            "open": still_open,
            **{stage: still_open & q for stage, q in stages.items()},
            "test_today": Q(pk__in=self._forecast.needing_test(self.today)),
            "test_done": tests["done"],
            "test_overdue": tests["overdue"],
            # Whose earlier test is overdue is not counted again as due or taken.
            "only_due": tests["earliest"],
            "only_done": tests["done"] & ~tests["earliest"] & ~tests["overdue"],
            "release_ready": releases["ready"],
            "release_freed": releases["freed"],
            "release_due": releases["due"],
        }

    @cached_property
    def _arrivals(self) -> Mapping[tuple[int, str], int]:
        """Return today's arrivals by grid and by what the law asked."""
        rows = (
            Arrival.objects.visible_to(self.user)
            .valid()
            .filter(self._in_scope, arrived_on=self.today)
            .annotate(nothing=ExpressionWrapper(Q(case=None), BooleanField()), referred=REFERRED)
            .order_by()
            .values_list("grid", "nothing", "referred", "provision__subject")
            .annotate(count=Count("pk"))
        )
        arrived: dict[tuple[int, str], int] = defaultdict(int)
        for grid, nothing, referred, subject, count in rows:
            without_case = "referred" if referred else "none"
            arrived[grid, without_case if nothing else subject] += count
        return arrived

    @cached_property
    def _besides(self) -> Mapping[str, Mapping[int, int]]:
        """Return what is to be done about dangers, and what was not delivered, by grid."""
        todos = Todo.objects.visible_to(self.user).open().order_by()
        messages = Message.objects.visible_to(self.user).undelivered().filter(self._in_scope)
        numbers = (
            todos.values(what=Value("todo"), where=F("resident__grid")),
            messages.order_by().values(what=Value("undelivered"), where=F("grid")),
        )
        counted, more = (each.annotate(count=Count("pk")) for each in numbers)
        by_grid: dict[str, dict[int, int]] = {"todo": {}, "undelivered": {}}
        rows: Iterable[Any] = counted.union(more, all=True).values_list("what", "where", "count")
        for what, where, count in rows:
            by_grid[what][where] = count
        return by_grid
