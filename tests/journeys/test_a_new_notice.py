"""A notice that nobody has seen before decides the next arrival: no code, no restart."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone
from playwright.sync_api import Page, expect
from stdnum.iso7064 import mod_11_2

from accounts.staff.models import Area, Role
from policy import services
from quarantine.models import Case
from tests import factories
from tests.browser import barriers, sign_in
from tests.policy.test_drafts import NOTICE

pytestmark = pytest.mark.usefixtures("transactional_db")


@pytest.fixture(autouse=True)
def fresh_library() -> Iterator[None]:
    services.forget_library()
    yield
    services.forget_library()


def test_a_notice_is_uploaded_approved_put_in_force_and_decides(desktop: Page) -> None:
    page = desktop
    grid = factories.make_place("fujian-2022-12", "350104")
    city = Area.objects.get(code="350100")
    one, another = (factories.make_user(Role.ADMINISTRATOR, city) for _ in range(2))
    worker = factories.make_user(Role.GRID_STAFF, grid)

    # One administrator brings the file …
    sign_in(page, one)
    page.goto("/policy/drafts/")
    file = {"name": "notice.yaml", "mimeType": "application/yaml", "buffer": NOTICE}
    page.set_input_files("#id_file", [file])  # type: ignore[arg-type]
    page.get_by_role("button", name="检查并存为草稿").click()
    expect(page.get_by_role("heading", name="演示市通告")).to_be_visible()
    expect(page.get_by_text("更严").first).to_be_visible()
    expect(page.get_by_role("button", name="批准", exact=True)).to_have_count(0)
    assert barriers(page) == []
    draft = page.url

    # … another approves it, and proposes that it be in force at once …
    sign_in(page, another)
    page.goto(draft)
    page.get_by_role("button", name="批准", exact=True).click()
    expect(page).to_have_url(f"{draft.split('/policy/')[0]}/policy/demo-city-2022-1")
    page.goto("/policy/activations/new/")
    page.select_option("#id_document", "demo-city-2022-1")
    page.select_option("#id_area", str(city.pk))
    soon = timezone.localtime() - timedelta(hours=1)
    page.fill("#id_effective_from", f"{soon:%Y-%m-%dT%H:%M}")
    page.fill("#id_reason", "演示")
    page.get_by_role("button", name="提出").click()
    expect(page.get_by_text("等待第二人批准")).to_be_visible()
    proposal = page.url

    # … which the first one approves. The county's own document would still go first.
    sign_in(page, one)
    page.goto(proposal)
    page.get_by_role("button", name="批准并施行", exact=True).click()
    expect(page.get_by_text("已批准。")).to_be_visible()
    Area.objects.get(code="350104").activations.update(
        withdrawn_at=soon, withdrawn_by=one, withdrawal_reason="演示"
    )

    # The next arrival from elsewhere stays at home for two days.
    sign_in(page, worker)
    page.goto("/arrivals/new/")
    stem = "19990119900517991"
    page.fill("#id_number", stem + mod_11_2.calc_check_digit(stem))
    page.fill("#id_name", "示例新")
    page.fill("#id_building", "1号楼")
    page.fill("#id_door", "101")
    page.locator("#id_origin").press_sequentially("shanghai", delay=30)
    page.get_by_role("option", name="上海市").first.click()
    expect(page.locator("#decision-line")).to_contain_text("居家隔离2天")
    page.get_by_role("button", name="保存", exact=True).click()
    expect(page.get_by_text("演示市通告").first).to_be_visible()
    case = Case.objects.get()
    assert (case.law, case.plan.provision.clause) == ("demo-city-2022-1", "1")
