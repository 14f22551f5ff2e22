"""Where a form says that somebody came from: followed where it is a path of the portal."""

import pytest
from django.test import RequestFactory

from common.redirects import LONGEST, redirect_to_next


@pytest.mark.parametrize(
    "asked",
    [
        *("", "relative", "today", "a.b", "//evil.example", "https://evil.example/", "/\\evil"),
        *("javascript:alert(1)", "/" + "x" * LONGEST, "\0/", "/\r\nSet-Cookie: a=b"[3:]),
    ],
)
def test_anything_else_leads_to_the_page_instead(asked: str) -> None:
    request = RequestFactory().post("/", {"next": asked})
    assert redirect_to_next(request, "today").url == "/today/"


@pytest.mark.parametrize("asked", ["/today/", "/cases/?area=1&q=%E7%8E%8B#x", "/" + "x" * 1_999])
def test_a_path_is_followed(asked: str) -> None:
    request = RequestFactory().post("/", {"next": asked})
    assert redirect_to_next(request, "today").url == asked


def test_a_line_end_cannot_add_a_header() -> None:
    request = RequestFactory().post("/", {"next": "/today/\r\nSet-Cookie: a=b"})
    assert "\n" not in redirect_to_next(request, "today").headers["Location"]
