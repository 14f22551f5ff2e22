"""The queue of what is to be done, its pages, and the marks on people."""

import html
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.staff.models import Area, User
from common.paging import page_after
from quarantine.acts.daily_checks import Symptom, daily_check
from quarantine.acts.outings import Mask, OutingPurpose, Vehicle, ask_outing
from quarantine.arrivals.services import Logged
from quarantine.models import Case
from quarantine.todo.models import Todo
from tests.factories import NOW, make_arrival, make_resident, make_user

MOST_QUERIES = 12
Arrive = Callable[..., Logged]


@pytest.fixture
def as_supervisor(client: Client, supervisor: User, today: None) -> Client:
    client.force_login(supervisor)
    return client


@pytest.fixture
def infected(grid: Area, staff: User) -> Logged:
    """Return an infected arrival, whom Bayannur's notice passes on, with somebody at home."""
    resident = make_resident(grid=grid, by=staff, name="赵一")
    make_resident(household=resident.household, by=staff, name="赵二")
    return make_arrival(
        grid, on=NOW.date(), at=NOW, by=staff, resident=resident, exposure="infected"
    )


@pytest.fixture
def feverish(arrive: Arrive, staff: User) -> Case:
    """Return a case with 38.6 °C and a cough today."""
    case = arrive().case
    assert case
    daily_check(
        case=case,
        temperature=Decimal("38.6"),
        symptoms=[Symptom.COUGH],
        note="",
        at=NOW,
        by=staff,
    )
    return case


def page(client: Client, name: str, *args: object) -> str:
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200
    return answer.content.decode()


def the(kind: Todo.Kind) -> Todo:
    return Todo.objects.get(kind=kind)


class TestAnInfectedArrival:
    def test_is_answered_in_red_and_not_as_free_to_go(
        self, as_staff: Client, infected: Logged
    ) -> None:
        shown = page(as_staff, "arrival_saved", infected.arrival.key)

        assert "decision-refer" in shown
        assert "立即转医疗机构" in shown
        assert "接走前不得离开" in shown
        assert "可以外出" not in shown
        assert "tag-free" not in shown

    def test_is_answered_alike_while_the_form_is_filled(
        self, as_staff: Client, grid: Area
    ) -> None:
        answer = as_staff.post(
            reverse("arrival_decision"),
            {
                "grid": grid.code,
                "exposure": "infected",
                "coming": "home",
                "arrived": "0",
                "home_fit": "yes",
                "stay-TOTAL_FORMS": "0",
                "stay-INITIAL_FORMS": "0",
            },
        ).content.decode()

        assert "立即转医疗机构" in answer
        assert "tag-free" not in answer

    def test_stands_first_on_today_until_handed_over(
        self, as_staff: Client, infected: Logged
    ) -> None:
        todo = the(Todo.Kind.REFER)
        shown = page(as_staff, "today")
        assert shown.index('id="todos"') < shown.index('id="chips"')
        assert reverse("todo_detail", args=[todo.key]) in shown

        answer = as_staff.post(
            reverse("todo_detail", args=[todo.key]),
            {"to": "市医院", "vehicle": "ambulance", "handed_over_at": ""},
        )

        assert answer.status_code == 302
        assert reverse("todo_detail", args=[todo.key]) not in page(as_staff, "today")
        assert "市医院" in page(as_staff, "todo_detail", todo.key)

    @pytest.mark.parametrize("missing", ["to", "vehicle"])
    def test_is_not_handed_over_without_saying_to_whom_and_how(
        self, as_staff: Client, infected: Logged, missing: str
    ) -> None:
        todo = the(Todo.Kind.REFER)
        data = {"to": "市医院", "vehicle": "ambulance"}
        data.pop(missing)

        shown = as_staff.post(reverse("todo_detail", args=[todo.key]), data).content.decode()

        assert "error-summary" in shown
        todo.refresh_from_db()
        assert todo.is_open

    def test_names_who_lives_there_and_the_way_to_enter_them(
        self, as_staff: Client, infected: Logged
    ) -> None:
        shown = page(as_staff, "todo_detail", the(Todo.Kind.REFER).key)

        assert "赵*" in shown
        assert f"after={infected.arrival.key}" in shown

    def test_is_handed_over_again_after_the_undo(self, as_staff: Client, infected: Logged) -> None:
        todo = the(Todo.Kind.REFER)
        as_staff.post(
            reverse("todo_detail", args=[todo.key]), {"to": "市医院", "vehicle": "escorted"}
        )

        as_staff.post(reverse("undo_todo", args=[todo.key]))

        todo.refresh_from_db()
        assert todo.is_open


class TestSymptoms:
    def test_are_red_on_the_card_the_case_and_the_list(
        self, as_staff: Client, feverish: Case
    ) -> None:
        address = reverse("todo_detail", args=[the(Todo.Kind.SYMPTOMS).key])

        for shown in (
            page(as_staff, "today"),
            page(as_staff, "case_detail", feverish.key),
        ):
            assert address in shown
            assert "症状或发热" in shown
        assert "症状或发热" in page(as_staff, "case_list")

    def test_stay_on_the_card_after_an_act(self, as_staff: Client, feverish: Case) -> None:
        answer = as_staff.post(
            reverse("case_act", args=[feverish.key, "sample"]),
            {"next": reverse("today")},
            headers={"HX-Request": "true", "HX-Target": f"card-{feverish.key}"},
        ).content.decode()

        assert "症状或发热" in answer

    def test_are_told_to_the_one_who_enters_them(self, as_staff: Client, arrive: Arrive) -> None:
        case: Any = arrive().case

        answer = as_staff.post(
            reverse("case_act", args=[case.key, "check"]),
            {"check-temperature": "38.6", "check-symptoms": ["cough"]},
            follow=True,
        ).content.decode()

        assert "督导员" in answer

    def test_are_ended_by_the_supervisor_alone(
        self, client: Client, staff: User, supervisor: User, feverish: Case, today: None
    ) -> None:
        todo = the(Todo.Kind.SYMPTOMS)
        address, data = reverse("todo_detail", args=[todo.key]), {"what_was_done": "已联系诊所"}

        client.force_login(staff)
        assert 'name="what_was_done"' not in client.get(address).content.decode()
        client.post(address, data)
        todo.refresh_from_db()
        assert todo.is_open

        client.force_login(supervisor)
        assert 'name="what_was_done"' in client.get(address).content.decode()
        client.post(address, data)
        todo.refresh_from_db()
        assert (todo.done_by, todo.done_text) == (supervisor, "已联系诊所")


class TestAnOuting:
    def test_waits_in_the_queue_and_as_a_mark_on_the_case(
        self, as_supervisor: Client, arrive: Arrive, staff: User
    ) -> None:
        case: Any = arrive().case
        ask_outing(
            case=case,
            day=NOW.date() + timedelta(days=1),
            purpose=OutingPurpose.MEDICAL,
            vehicle=Vehicle.ESCORTED,
            mask=Mask.N95,
            reason="透析",
            at=NOW,
            by=staff,
        )
        todo = the(Todo.Kind.OUTING)

        for shown in (
            page(as_supervisor, "todo_list"),
            page(as_supervisor, "case_detail", case.key),
        ):
            assert reverse("todo_detail", args=[todo.key]) in shown
        shown = page(as_supervisor, "todo_detail", todo.key)
        assert f"{reverse('case_detail', args=[case.key])}#act-answer" in shown
        assert "透析" in shown


class TestTheQueue:
    def test_is_narrowed_to_a_kind_and_an_area(
        self, as_supervisor: Client, infected: Logged, feverish: Case, grid: Area
    ) -> None:
        address = reverse("todo_list")

        assert as_supervisor.get(address).context["count"] == 3
        assert as_supervisor.get(address, {"kind": "symptoms"}).context["count"] == 1
        assert as_supervisor.get(address, {"area": grid.code}).context["count"] == 3
        elsewhere = Area.objects.exclude(path__startswith=grid.path).filter(level="grid").first()
        assert elsewhere is None

    def test_begins_with_the_most_overdue(
        self, as_supervisor: Client, infected: Logged, feverish: Case
    ) -> None:
        late = the(Todo.Kind.SYMPTOMS)
        Todo.objects.filter(pk=late.pk).update(due_at=NOW - timedelta(hours=1))

        shown = as_supervisor.get(reverse("todo_list"))

        assert next(iter(shown.context["todos"])) == late
        assert "tag-overdue" in shown.content.decode()

    @pytest.mark.usefixtures("infected", "feverish")
    @pytest.mark.parametrize("size", [1, 2, 50])
    def test_counts_what_it_lists(
        self,
        as_supervisor: Client,
        arrive: Arrive,
        size: int,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        for _ in range(3):
            arrive(days=7)  # nothing tested: blocked on the day of release
        assert page_after.__kwdefaults__
        monkeypatch.setitem(page_after.__kwdefaults__, "size", size)
        first = as_supervisor.get(reverse("todo_list"))
        numbers = {kind: number for kind, _label, number in first.context["chips"]}
        assert first.context["together"] == sum(numbers.values()) == 6
        assert numbers["blocked"] == 3

        for kind, number in {"": 6, **numbers}.items():
            shown, listed = as_supervisor.get(reverse("todo_list"), {"kind": kind}), []
            while True:
                assert shown.context["count"] == number or shown.context["kind"] != kind
                listed += [todo.pk for todo in shown.context["todos"]]
                listed += [proposal.case.key for proposal in shown.context["blocked"]]
                following = re.search(r'rel="next" href="([^"]+)"', shown.content.decode())
                if not following:
                    break
                shown = as_supervisor.get(reverse("todo_list") + html.unescape(following[1]))
            assert len(listed) == len(set(listed)) == number, kind

    def test_hands_a_release_that_stays_blocked_to_the_supervisor(
        self, as_supervisor: Client, arrive: Arrive
    ) -> None:
        arrive(days=6)
        arrive(days=7)

        shown = as_supervisor.get(reverse("todo_list"), headers={"accept-language": "en"})

        rows = shown.content.decode().split("<tr>")[2:]
        assert ["Supervisor" in row and "overdue" in row for row in rows] == [True, False]

    def test_is_for_supervisors(self, as_staff: Client) -> None:
        assert as_staff.get(reverse("todo_list")).status_code == 403

    def test_hides_what_others_have_to_do(self, client: Client, infected: Logged) -> None:
        client.force_login(make_user("supervisor"))

        assert client.get(reverse("todo_list")).context["count"] == 0

    @pytest.mark.parametrize("name", ["todo_list", "case_list", "dashboard"])
    def test_needs_few_queries(
        self,
        name: str,
        as_supervisor: Client,
        infected: Logged,
        feverish: Case,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        as_supervisor.get(reverse(name))

        with django_assert_max_num_queries(MOST_QUERIES):
            as_supervisor.get(reverse(name))

    @pytest.mark.parametrize("kind", ["refer", "symptoms", "household"])
    def test_pages_of_one_need_few_queries(
        self,
        kind: str,
        as_supervisor: Client,
        infected: Logged,
        feverish: Case,
        django_assert_max_num_queries: DjangoAssertNumQueries,
    ) -> None:
        address = reverse("todo_detail", args=[Todo.objects.get(kind=kind).key])
        as_supervisor.get(address)

        with django_assert_max_num_queries(MOST_QUERIES):
            as_supervisor.get(address)

    def test_counts_on_the_overview(self, as_supervisor: Client, infected: Logged) -> None:
        shown = as_supervisor.get(reverse("dashboard"))

        assert shown.context["dashboard"].totals["todo"].value == 2
        (arrived,) = shown.context["dashboard"].arrivals_by_measure
        assert (arrived.key, arrived.value) == ("referred", 1)
        assert as_supervisor.get(arrived.url).context["count"] == 1
        text = shown.content.decode()
        assert text.index("todo-strip") < text.index("tile-arrivals")
