"""Two people at the same time: one of them is first, the other hears of it."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from common import clock
from common.errors import RefusedError
from quarantine.acts.release import release
from quarantine.acts.results import take_sample
from quarantine.cases.lifecycle import add_note, change_home_conditions
from quarantine.cases.nightly_check import unexplained_cases
from quarantine.models import Arrival, Case, Event
from residents.register.models import Resident
from tests.concurrency import at_once
from tests.factories import (
    id_number,
    make_arrival,
    make_case,
    make_place,
    make_resident,
    make_result,
    make_user,
    moment,
)

pytestmark = pytest.mark.django_db(transaction=True)

DAY = date(2022, 11, 20)


def refusals(answers: list[Any]) -> int:
    return sum(isinstance(answer, RefusedError) for answer in answers)


class TestAtTheSameTime:
    def test_one_note_sent_twice_is_one_note(self) -> None:
        case, by, key = make_case(), make_user(), uuid4()

        def write() -> Event:
            return add_note(case=case, text="示例", at=moment(DAY), by=by, key=key)

        first, second = at_once(write, write)
        assert first == second
        assert Event.objects.filter(kind=Event.Kind.NOTE).count() == 1

    def test_one_form_sent_twice_is_one_arrival(self) -> None:
        grid = make_place("yingkou-2022-11", "210800")
        resident, by, key = make_resident(grid=grid), make_user("grid_staff", grid), uuid4()

        def log() -> Arrival:
            return make_arrival(
                grid, resident=resident, key=key, by=by, arrived_from="310000"
            ).arrival

        first, second = at_once(log, log)

        assert first == second
        assert Arrival.objects.count() == Case.objects.count() == 1

    def test_ten_arrivals_of_one_number_are_one_and_the_others_are_told(self) -> None:
        grid = make_place("yingkou-2022-11", "210800")
        by, number = make_user("grid_staff", grid), id_number()
        clients = [Client(raise_request_exception=False) for _ in range(10)]
        for client in clients:
            client.force_login(by)
        form = {
            "document_type": "mainland_id",
            "number": number,
            "name": "王秀英",
            "phone": "13800138000",
            "grid": grid.code,
            "building": "3号楼",
            "door": "502",
            "arrived": clock.today().isoformat(),
            "coming": "home",
            "origin": "兰州",
            "home_fit": "yes",
            "stay-TOTAL_FORMS": "2",
            "stay-INITIAL_FORMS": "0",
        }

        def post(client: Client) -> Callable[[], Any]:
            sent = {**form, "key": str(uuid4())}
            return lambda: client.post(reverse("arrival_new"), sent)

        answers = at_once(*map(post, clients))

        assert sorted(answer.status_code for answer in answers) == [200] * 9 + [302]
        told = [answer.content.decode() for answer in answers if answer.status_code == 200]
        assert all("error-summary" in page for page in told)
        assert Arrival.objects.count() == Resident.objects.count() == 1

    def test_two_forms_for_one_person_are_two_grounds_and_one_standing(self) -> None:
        grid = make_place("yingkou-2022-11", "210800")
        resident, by = make_resident(grid=grid), make_user("grid_staff", grid)

        def log(on: date) -> Callable[[], Any]:
            return lambda: make_arrival(
                grid, on=on, at=moment(DAY), resident=resident, by=by, arrived_from="310000"
            )

        at_once(log(DAY), log(date(2022, 11, 19)))

        assert Arrival.objects.count() == Case.objects.open().count() == 2
        assert Case.objects.governing().get().day_1 == DAY
        assert unexplained_cases() == []

    def test_two_acts_on_one_case_leave_no_half(self) -> None:
        case, by = make_case(), make_user()
        one, other = Case.objects.get(pk=case.pk), Case.objects.get(pk=case.pk)

        answers = at_once(
            lambda: take_sample(case=one, taken_at=moment(DAY), at=moment(DAY), by=by),
            lambda: change_home_conditions(
                case=other, met=False, reason="", at=moment(DAY), by=by
            ),
        )

        assert refusals(answers) == 1
        case.refresh_from_db()
        assert case.version == 2
        sampled = case.resident.samples.exists()
        changed = case.events.filter(kind=Event.Kind.HOME_CONDITIONS).exists()
        assert sampled != changed

    def test_two_releases_are_one(self) -> None:
        case, by = make_case(), make_user()
        for number in (20, 22, 24):
            make_result(case, date(2022, 11, number))
        one, other = Case.objects.get(pk=case.pk), Case.objects.get(pk=case.pk)
        then = moment(date(2022, 11, 24), 16)

        answers = at_once(
            lambda: release(cases=[one], at=then, by=by),
            lambda: release(cases=[other], at=then, by=by),
        )

        assert sorted(len(answer.released) for answer in answers) == [0, 1]
        assert case.events.filter(kind=Event.Kind.RELEASED).count() == 1
