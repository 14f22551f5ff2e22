"""The pages of the law as people see them: nothing a thumb misses, nothing axe finds."""

from collections.abc import Iterator

import pytest
from django.urls import reverse
from playwright.sync_api import Page

from accounts.staff.models import Area, Role
from policy import drafts, services
from policy.models import Activation, StoredDocument
from tests import factories
from tests.browser import barriers, shot, sign_in, too_small
from tests.policy.test_drafts import AT, MISLEADING

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


class TestWhatASecondPersonSees:
    @pytest.fixture
    def draft(self) -> Iterator[StoredDocument]:
        uploader = factories.make_user(Role.ADMINISTRATOR)
        yield drafts.upload(
            content=MISLEADING, name="notice.yaml", examples=b"", at=AT, by=uploader
        )
        services.forget_library()

    @pytest.mark.parametrize("width", ["phone", "desktop"])
    def test_can_be_read_on_a_phone_and_on_a_desk(
        self, request: pytest.FixtureRequest, draft: StoredDocument, place: Area, width: str
    ) -> None:
        page: Page = request.getfixturevalue(width)
        county = Area.objects.get(code="150800")
        sign_in(page, factories.make_user(Role.ADMINISTRATOR, county))
        proposer = factories.make_user(Role.ADMINISTRATOR)
        proposal = Activation.objects.create(
            document="cn-2022-113",
            area=county,
            effective_from=AT,
            reason="示例",
            proposed_by=proposer,
            proposer_employer=proposer.employer,
            proposed_at=AT,
        )
        for name, address in {
            "draft": reverse("draft_detail", args=[draft.pk]),
            "activation": reverse("activation_detail", args=[proposal.pk]),
            "document": reverse("document_detail", args=["cn-2022-113"]),
            "forwarded": reverse("document_detail", args=["hequ-2022-58"]),
        }.items():
            page.goto(address)
            page.wait_for_load_state("networkidle")
            shot(page, f"second-{name}-{width}", whole=True)
            assert barriers(page) == [], name
            width_of_page = page.evaluate("document.documentElement.scrollWidth")
            assert width_of_page <= page.viewport_size["width"], name  # type: ignore[index]

    def test_opens_the_file_at_the_line_of_a_provision(
        self, phone: Page, draft: StoredDocument
    ) -> None:
        sign_in(phone, factories.make_user(Role.ADMINISTRATOR))
        phone.goto(reverse("draft_detail", args=[draft.pk]))

        phone.click("a[href='#file-11']")

        assert phone.locator("#file-11").is_visible()
