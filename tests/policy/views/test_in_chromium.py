"""The pages of the law as people see them: nothing a thumb misses, nothing axe finds."""

import pytest
from playwright.sync_api import Page

from accounts.staff.models import Area, Role
from tests import factories
from tests.browser import barriers, shot, sign_in, too_small

pytestmark = pytest.mark.django_db(transaction=True)

PAGES = {
    "policy": "/policy/",
    "subject": "/policy/subjects/close_contacts",
    "comparison": "/policy/compare?policy=bayannur-2022-71&with=cn-2022-101",
    "calculator": "/policy/calculator?ask=measure&policy=cn-2022-101&day=2022-11-20"
    "&person-exposure=close_contact",
    "escalation": "/policy/escalation/",
    "venues": "/door/?venue=",
    "door": "/door/?venue=nursing_home&role=visitor",
}
DESK = {"desk": "/policy/desk/", "clients": "/policy/clients/"}


@pytest.fixture
def place() -> Area:
    return factories.make_place("bayannur-2022-71", "150800")


class TestThePagesOfTheLaw:
    def test_can_be_read_and_used_on_a_phone(self, phone: Page, place: Area) -> None:
        sign_in(phone, factories.make_user(Role.SUPERVISOR, Area.objects.get(code="150800")))
        for name, address in PAGES.items():
            phone.goto(address)
            shot(phone, f"law-{name}-phone", whole=True)
            assert barriers(phone) == [], name
            assert phone.evaluate("document.documentElement.scrollWidth") <= 390, name

    def test_gives_a_thumb_room_at_the_door(self, phone: Page, place: Area) -> None:
        sign_in(phone, factories.make_user(Role.GRID_STAFF, place))
        for name in ("venues", "door"):
            phone.goto(PAGES[name])
            assert too_small(phone) == [], name

    def test_can_be_read_and_used_at_a_desk(self, desktop: Page, place: Area) -> None:
        sign_in(desktop, factories.make_user(Role.ADMINISTRATOR, Area.objects.get(code="150000")))
        for name, address in (PAGES | DESK).items():
            desktop.goto(address)
            shot(desktop, f"law-{name}-desk", whole=True)
            assert barriers(desktop) == [], name


class TestTheDoorOnAPhone:
    def test_answers_as_soon_as_something_is_tapped(self, phone: Page, place: Area) -> None:
        sign_in(phone, factories.make_user(Role.GRID_STAFF, place))
        phone.goto("/door/?venue=nursing_home")

        phone.get_by_text("就诊者").click()

        phone.locator(".door-verdict").wait_for()
