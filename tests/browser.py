"""What tests of pages ask of a page in Chromium."""

import os
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.test import Client
from playwright.sync_api import Page

from accounts.staff.models import User

SCREENS = settings.BASE_DIR / "build" / "screens"
PICTURES = settings.BASE_DIR / "docs" / "pictures" if os.environ.get("PICTURES") else SCREENS
TOUCH = 48
CONTROLS = "button, .btn, input:not([type=hidden]), select, textarea, summary, [role=button]"

# A label that can be tapped counts with its field; what is not shown does not count.
_SMALL = """
([selector, least]) => [...document.querySelectorAll(selector)].flatMap((control) => {
  const boxes = [control, ...(control.labels ?? [])].map((part) => part.getBoundingClientRect());
  const {width, height} = boxes[0];
  const shown = {visibilityProperty: true, opacityProperty: true};
  if (!width || !control.checkVisibility(shown)) return [];
  const fits = (box) => Math.round(box.width) >= least && Math.round(box.height) >= least;
  const says = control.outerHTML.slice(0, 80);
  return boxes.some(fits) ? [] : [`${says}: ${width.toFixed()} x ${height.toFixed()}`];
})
"""


def sign_in(page: Page, user: User) -> None:
    """Sign `user` in without the form, which has tests of its own."""
    client = Client()
    client.force_login(user)
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    page.context.add_cookies(
        [{"name": cookie.key, "value": cookie.value, "domain": "localhost", "path": "/"}]
    )


def too_small(page: Page, controls: str = CONTROLS, least: int = TOUCH) -> list[str]:
    """Return the visible controls that a thumb would miss."""
    small: list[str] = page.evaluate(_SMALL, [controls, least])
    return small


def barriers(page: Page) -> list[str]:
    """Return what axe finds wrong by WCAG 2.2 AA, one line a rule, with where."""
    # What scrolled half under the bar at the top would count as too small to be touched.
    page.evaluate("window.scrollTo({top: 0, behavior: 'instant'})")
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
    found = Axe().run(page, options={"runOnly": tags, "resultTypes": ["violations"]})
    return [
        f"{rule['id']}: {rule['help']}: {[node['target'] for node in rule['nodes']]}"
        for rule in found.response["violations"]
    ]


def shot(page: Page, name: str, *, whole: bool = False) -> Path:
    """Write a picture of the page to build/screens/ and return where."""
    picture = SCREENS / f"{name}.png"
    page.screenshot(path=picture, full_page=whole, animations="disabled")
    return picture


def picture(page: Page, name: str, *, whole: bool = False) -> None:
    """Take a picture for the manual: with PICTURES=1 it renews docs/pictures."""
    page.screenshot(
        path=PICTURES / f"{name}.png", scale="css", animations="disabled", full_page=whole
    )
