"""The eyes that other tests look at pages with."""

from playwright.sync_api import Page

from tests import browser

PAGE = """<!doctype html><html lang="zh-Hans"><title>网格</title><main><h1>今日任务</h1>
<button style="width: 48px; height: 48px">好</button> %s</main></html>"""


class TestTooSmall:
    def test_names_a_button_that_a_thumb_would_miss(self, phone: Page) -> None:
        phone.set_content(PAGE % '<button style="width: 20px; height: 30px">×</button>')
        assert [line.split(": ")[-1] for line in browser.too_small(phone)] == ["20 x 30"]

    def test_counts_the_label_of_a_field(self, phone: Page) -> None:
        phone.set_content(
            PAGE % '<label style="display: block; height: 48px"><input type="radio">昨天</label>'
        )
        assert browser.too_small(phone) == []

    def test_ignores_what_is_not_shown(self, phone: Page) -> None:
        phone.set_content(PAGE % '<button hidden>×</button><select style="opacity: 0"></select>')
        assert browser.too_small(phone) == []


class TestBarriers:
    def test_names_the_rule_and_the_place(self, desktop: Page) -> None:
        desktop.set_content(PAGE % "<input id=name>")
        (barrier,) = browser.barriers(desktop)
        assert barrier.startswith("label:")
        assert "#name" in barrier


class TestShot:
    def test_renders_chinese(self, desktop: Page) -> None:
        # Missing glyphs are all the same box.
        desktop.set_content("<p id=a>网</p><p id=b>格</p>")
        first, second = (desktop.locator(place).screenshot() for place in ("#a", "#b"))
        assert first != second
        assert browser.shot(desktop, "chinese").exists()
