"""A worker's code at a gate: one of three words, and nothing else."""

import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect

from accounts.staff.models import Area
from quarantine.views import gate
from residents.whitelist import services
from residents.whitelist.models import Worker
from tests.browser import barriers, shot, sign_in, too_small
from tests.factories import NOW, make_place, make_proof, make_resident, make_user, make_worker

pytestmark = pytest.mark.django_db
WORDS = ("可以上岗", "暂不能上岗", "请联系社区核实")


@pytest.fixture
def shanxi() -> Area:
    return make_place("shanxi-2022-38", "140930")


@pytest.fixture
def worker(shanxi: Area) -> Worker:
    return make_worker(make_resident(grid=shanxi, name="欧阳明月"), employer="示例供电所")


@pytest.fixture
def ten_oclock() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


def answer(client: Client, code: str) -> str:
    page = client.post(reverse("gate"), {"code": code}).content.decode()
    (word,) = re.findall(r'gate-word">\s*([^<]+?)\s*<', page)
    return str(word)


def without_tokens(page: str) -> str:
    """Return the page without what is drawn at random against forged requests."""
    return re.sub(r"[0-9A-Za-z]{64}", "", page)


@pytest.mark.usefixtures("ten_oclock")
class TestTheAnswer:
    def test_follows_the_worker(self, client: Client, worker: Worker) -> None:
        by = make_user()
        code = services.make_code(worker=worker, at=NOW, by=by)
        assert answer(client, code) == WORDS[1]
        make_proof(worker.resident, NOW.replace(day=21))
        assert answer(client, code) == WORDS[0]
        services.revoke_code(worker=worker, at=NOW, by=by)
        assert answer(client, code) == WORDS[2]

    def test_tells_nothing_about_the_worker(self, client: Client, worker: Worker) -> None:
        code = services.make_code(worker=worker, at=NOW, by=make_user())
        page = without_tokens(client.post(reverse("gate"), {"code": code}).text)
        for told in ("欧阳", "欧*", "供电所", "医", str(worker.key), code, "48"):
            assert told not in page

    def test_is_the_same_for_a_revoked_and_for_an_unknown_code(
        self, client: Client, worker: Worker
    ) -> None:
        revoked = services.make_code(worker=worker, at=NOW, by=make_user())
        services.revoke_code(worker=worker, at=NOW, by=make_user())
        pages = {
            without_tokens(client.post(reverse("gate"), {"code": code}).text)
            for code in (revoked, "2345A2345B2345C23", "", "<script>")
        }
        assert len(pages) == 1

    def test_is_not_given_to_somebody_who_guesses(self, client: Client, worker: Worker) -> None:
        code = services.make_code(worker=worker, at=NOW, by=make_user())
        for _guess in range(gate.GUESSES):
            assert client.post(reverse("gate"), {"code": "2345A2345B"}).status_code == 200
        assert client.post(reverse("gate"), {"code": code}).status_code == 429

    def test_is_kept_by_no_browser(self, client: Client) -> None:
        assert "no-store" in client.post(reverse("gate")).headers["Cache-Control"]


@pytest.mark.django_db(transaction=True)
class TestAScan:
    def test_shows_in_large_type_what_holds_now(self, phone: Page, shanxi: Area) -> None:
        now = timezone.now()
        worker = make_worker(make_resident(grid=shanxi), on=timezone.localdate(now))
        by = make_user("grid_staff", shanxi)
        make_proof(worker.resident, now - timedelta(hours=20))
        sign_in(phone, by)
        phone.goto(reverse("worker_detail", args=[worker.key]))
        phone.get_by_role("button", name="生成新的门岗卡").click()
        code = phone.locator(".gate-card-code").inner_text()
        shot(phone, "gate-card")
        phone.context.clear_cookies()

        phone.goto(f"{reverse('gate')}#{code}")
        expect(phone.locator(".gate-word")).to_have_text(WORDS[0])
        assert code not in phone.url
        assert barriers(phone) == []
        assert too_small(phone) == []
        shot(phone, "gate-work")

        sample = worker.resident.samples.get()
        sample.results.update(withdrawn_at=now, withdrawn_by=by)
        phone.goto("about:blank")
        phone.goto(f"{reverse('gate')}#{code}")
        expect(phone.locator(".gate-word")).to_have_text(WORDS[1])

        services.revoke_code(worker=worker, at=now, by=by)
        phone.goto("about:blank")
        phone.goto(f"{reverse('gate')}#{code}")
        expect(phone.locator(".gate-word")).to_have_text(WORDS[2])
        shot(phone, "gate-desk")
