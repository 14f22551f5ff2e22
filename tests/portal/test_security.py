"""What every page, answer and template keeps to (docs/security.md, docs/asvs.md)."""

import ast
import logging
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from tests.factories import PASSWORD, make_area, make_community, make_grid, make_user
from tests.portal.exports.test_views import take

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
SCRIPTS = sorted((settings.BASE_DIR / "static" / "js").glob("*.js"))
APPS = (
    *("accounts", "common", "policy", "portal"),
    *("quarantine", "reminders", "residents", "testing"),
)
# Who may ask other machines: sendings (the mail server by Django), an authority that stamps the
# audit's heads, and `up` whether it is well.
SENDS = "reminders/channels/web.py"
STAMPS = "accounts/auditing/stamps.py"
ASKS_ITSELF = "portal/management/commands/up.py"
# Made of the constants of their module, by name or by its own functions.
MADE_OF_CONSTANTS = re.compile(r"reading\.py: pattern|numbers\.py: ")


def modules() -> list[Path]:
    return [path for app in APPS for path in (settings.BASE_DIR / app).rglob("*.py")]


@pytest.mark.django_db
class TestAnswers:
    @pytest.mark.parametrize(
        "path", ["/accounts/login/", "/gate/", "/healthz", "/api/openapi.json", "/nowhere/"]
    )
    def test_every_answer_has_its_headers(self, client: Client, path: str) -> None:
        headers = client.get(path).headers
        policy = headers["Content-Security-Policy"]
        for directive in (
            *("default-src 'self'", "object-src 'none'", "base-uri 'none'"),
            *("frame-ancestors 'none'", "form-action 'self'"),
        ):
            assert directive in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert "Access-Control-Allow-Origin" not in headers
        kind = headers["Content-Type"]
        assert kind.startswith("application/json") or kind.endswith("charset=utf-8")

    def test_pages_escape_what_people_typed(self, client: Client) -> None:
        community = make_community()
        make_area(parent=community, name="<b onclick=x>格</b>")
        client.force_login(make_user(Role.ADMINISTRATOR, community))
        page = client.get(reverse("area_detail", args=[community.code])).content.decode()
        assert "&lt;b onclick=x&gt;格&lt;/b&gt;" in page
        assert "<b onclick" not in page

    def test_a_forged_request_changes_nothing(self) -> None:
        strict = Client(enforce_csrf_checks=True)
        user = make_user(Role.ADMINISTRATOR, make_community())
        strict.force_login(user)
        for name in ("account_logout", "account_change_password", "own_email", "person_new"):
            assert strict.post(reverse(name), {}).status_code == 403, name

    @pytest.mark.parametrize(
        "there", ["https://elsewhere.example/", "//elsewhere.example", "\\\\e"]
    )
    def test_a_sign_in_leads_nowhere_else(self, client: Client, there: str) -> None:
        user = make_user()
        fields = {"login": user.username, "password": PASSWORD, "next": there}
        assert client.post(reverse("account_login"), fields).headers["Location"] == "/"

    def test_files_leave_as_attachments(self, client: Client) -> None:
        client.force_login(make_user(Role.GRID_STAFF, make_grid()))
        disposition = take(client, "residents").headers["Content-Disposition"]
        assert re.fullmatch(r'attachment; filename="[\w.-]+"', disposition)

    @pytest.mark.parametrize("name", ["home", "account_login", "resident_list", "set_language"])
    def test_trace_tells_nothing_of_the_request(self, client: Client, name: str) -> None:
        client.force_login(make_user(Role.SUPERVISOR))
        answer = client.trace(reverse(name), headers={"x-secret": "of the proxy"})
        assert answer.status_code in (302, 405)
        assert b"of the proxy" not in answer.content

    @pytest.mark.parametrize("path", ["/static/", "/static/css/", "/static/css"])
    def test_folders_of_static_files_are_not_listed(self, client: Client, path: str) -> None:
        assert client.get(path).status_code == 404

    def test_a_refused_page_is_logged_with_who_asked(
        self, client: Client, caplog: pytest.LogCaptureFixture
    ) -> None:
        user = make_user(Role.GRID_STAFF)
        client.force_login(user)
        with caplog.at_level(logging.INFO):
            assert client.get(reverse("audit_list")).status_code == 403
        [told] = [each.msg for each in caplog.records if "code" in str(each.msg)]
        assert isinstance(told, dict)
        assert (told["code"], told["user_id"]) == (403, user.pk)


class TestTemplates:
    def test_no_page_has_a_script_of_its_own(self) -> None:
        own = re.compile(r"<script(?![^>]*\ssrc=)|\son[a-z]+=\"|javascript:", re.IGNORECASE)
        assert [path.name for path in TEMPLATES if own.search(path.read_text())] == []

    def test_templates_mark_nothing_as_safe_but_help_texts(self) -> None:
        safe = re.compile(r"\|\s*safe(seq)?\b|autoescape off")
        marked = [path.name for path in TEMPLATES if safe.search(path.read_text())]
        assert marked == ["field.html"]


class TestScripts:
    def test_scripts_keep_nothing_in_the_browser(self) -> None:
        stores = re.compile(r"localStorage|sessionStorage|indexedDB|caches\.|document\.cookie")
        assert [path.name for path in SCRIPTS if stores.search(path.read_text())] == []

    def test_scripts_merge_no_objects_and_listen_to_no_other_window(self) -> None:
        merges = re.compile(r"Object\.assign|__proto__|\.prototype\b|postMessage|\"message\"")
        assert [path.name for path in SCRIPTS if merges.search(path.read_text())] == []


class TestCode:
    def test_requests_go_to_configured_addresses_only(self) -> None:
        speaks = re.compile(
            r"^(import|from) (requests|http\.client|httpx|urllib\.request)\b", re.MULTILINE
        )
        root = settings.BASE_DIR
        outward = {
            str(path.relative_to(root)) for path in modules() if speaks.search(path.read_text())
        }
        assert outward == {SENDS, STAMPS, ASKS_ITSELF}
        text = (root / SENDS).read_text()
        assert text.count("requests.request(") == text.count("allow_redirects=False") == 1
        assert not re.search(r"requests\.(get|post|put|head|session)\b", text, re.IGNORECASE)

    def test_expressions_are_made_of_no_input_as_it_came(self) -> None:
        """Formatted expressions hold constants of their module, or what `re.escape` gave."""
        loose = []
        for path in modules():
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.JoinedStr) and _is_expression(node):
                    loose += [f"{path.name}: {ast.unparse(each)}" for each in _loose(node)]
        assert [each for each in loose if not MADE_OF_CONSTANTS.match(each)] == []


def _is_expression(node: ast.JoinedStr) -> bool:
    said = "".join(str(each.value) for each in node.values if isinstance(each, ast.Constant))
    return bool(re.search(r"\(\?|\\[dsw]|\[\^|\]\*|\)\$", said))


def _loose(node: ast.JoinedStr) -> list[ast.expr]:
    known = re.compile(r"[A-Z_]+(\b|$)|re\.escape")
    values = [each.value for each in node.values if isinstance(each, ast.FormattedValue)]
    return [value for value in values if not known.match(ast.unparse(value))]
