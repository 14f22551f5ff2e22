"""Every colour has a name, and stands once."""

import re
import subprocess

from django.conf import settings

from quarantine.lists.forecast import STAGES

ROOT = settings.BASE_DIR
# Not `href="#add"` or `"#id_name"`: a colour has 3, 4, 6 or 8 digits and follows no letter.
COLOUR = re.compile(
    r"(?<![\w&/])#(?:[0-9a-f]{3,4}|[0-9a-f]{6}|[0-9a-f]{8})(?![\w-])|\b(?:rgb|hsl)a?\(",
    re.IGNORECASE,
)
NAMED = re.compile(r":root \{[^}]*\}")
STYLES = (ROOT / "static/css/portal.css").read_text()
THEME = '<meta name="theme-color" content="%s">'  # an attribute, which knows no variables


def _colours_of(*patterns: str) -> dict[str, list[str]]:
    listed = subprocess.check_output(["git", "ls-files", *patterns], cwd=ROOT, text=True)
    texts = {name: (ROOT / name).read_text() for name in listed.splitlines()}
    return {name: found for name, text in texts.items() if (found := COLOUR.findall(text))}


class TestColours:
    def test_stand_in_the_root_of_the_styles_alone(self) -> None:
        assert COLOUR.findall(NAMED.sub("", STYLES)) == []

    def test_stand_in_no_script_and_no_module(self) -> None:
        applications = ("accounts", "common", "policy", "portal", "quarantine", "reminders")
        modules = [f"{name}/*.py" for name in (*applications, "residents", "testing")]
        assert _colours_of("static/js/*.js", *modules) == {}

    def test_stand_in_one_template_for_the_bar_of_the_browser(self) -> None:
        (blue,) = re.findall(r"--blue-dark: (#[0-9a-f]{6});", STYLES)
        assert _colours_of("templates/*.html") == {"templates/base.html": [blue]}
        assert THEME % blue in (ROOT / "templates/base.html").read_text()

    def test_of_charts_are_those_that_the_overview_asks_for(self) -> None:
        series = {*STAGES, "test_today", "before", "after"}
        assert set(re.findall(r"--series-(\w+):", STYLES)) == series
