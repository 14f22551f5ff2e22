"""Scanning the code of a proof at a door: the time is read on the phone, nothing else is sent."""

import json
import time
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request

from accounts.staff.models import Role
from tests import browser, factories
from tests.testing.test_views import AT

pytestmark = pytest.mark.django_db(transaction=True)

# A camera that shows a grey picture, and a detector that reads one code from whatever it sees.
CAMERA = """
window.BarcodeDetector = class { async detect() { return [{rawValue: %s}]; } };
navigator.mediaDevices ??= {};
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  setInterval(() => canvas.getContext("2d").fillRect(0, 0, Math.random() * 9, 9), 40);
  return canvas.captureStream();
};
"""


@pytest.fixture(autouse=True)
def december(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("common.clock.now", lambda: AT)


@pytest.fixture
def door(phone: Page) -> Page:
    grid = factories.make_place("cangshan-2022-324", "350104")
    browser.sign_in(phone, factories.make_user(Role.GRID_STAFF, grid))
    return phone


def scan(door: Page, code: str) -> list[Request]:
    """Scan a code at the door of a nursing home, and return what was sent."""
    door.add_init_script(CAMERA % json.dumps(code))
    door.goto("/door/?venue=nursing_home")
    sent: list[Request] = []
    door.on("request", lambda request: sent.append(request))
    door.get_by_role("button", name="扫").click()
    door.locator("[data-scan] [role=status]").filter(has_text="。").wait_for()
    return sent


class TestScanning:
    @pytest.mark.parametrize(
        ("code", "passes"),
        [
            ("2022-12-18T10:00:00+08:00", True),
            ("2022-12-18T09:59:00+08:00", False),
            ("2022-12-18T02:00:00Z", True),
            ("采样时间：2022年12月18日 10时00分 报告时间：2022年12月19日 03时00分", True),
            ("报告时间：2022年12月19日 03:00，采样时间：2022年12月18日 9:59", False),
            ("结果|阴性|20221219123000|林某某|350104200101011234", True),
            ("sampled 2022/12/19 下午 3:05; reported 2022/12/20 01:00", True),
        ],
    )
    def test_reads_the_sampling_time(self, door: Page, code: str, passes: bool) -> None:
        sent = scan(door, code)

        door.locator(".door-pass" if passes else ".door-stop").wait_for()
        asked = [parse_qs(urlsplit(request.url).query) for request in sent]
        known = {"venue", "role", "sampled_on", "sampled_at", "health_code", "scanned"}
        assert asked
        assert {key for question in asked for key in question} <= known
        assert "1234" not in "".join(request.url for request in sent)

    @pytest.mark.parametrize(
        ("code", "sentence"),
        [
            ("https://example.invalid/p/8271", "没有采样时间"),
            ("2022-12-10 10:00", "超过3天"),
            ("2022-12-20 10:01", "未到"),
        ],
    )
    def test_says_when_a_code_is_of_no_use(self, door: Page, code: str, sentence: str) -> None:
        scan(door, code)

        assert sentence in door.locator("[data-scan] [role=status]").inner_text()
        assert door.locator(".door-pass").count() == 0

    def test_asks_anew_before_a_second_is_over(self, door: Page) -> None:
        scan(door, "2022-12-18T10:00:00+08:00")
        door.locator(".door-pass").wait_for()
        door.clock.install()
        door.clock.pause_at(time.time() + 3_600)
        door.locator("[name=sampled_at]").fill("09:59")
        with door.expect_request("**/door/**"):
            door.locator("[name=sampled_at]").dispatch_event("change")
            door.clock.run_for(999)
        door.clock.resume()

        door.locator(".door-stop").wait_for()

    def test_is_not_offered_where_the_browser_cannot(self, door: Page) -> None:
        door.add_init_script("delete window.BarcodeDetector;")
        door.goto("/door/?venue=nursing_home")

        assert not door.locator("[data-scan]").is_visible()
        assert door.locator("[name=sampled_at]").is_visible()
