import base64
import hashlib
import hmac
from datetime import date, timedelta
from email import message_from_bytes, policy
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from quarantine.cases.standing import settle
from quarantine.models import Case
from reminders.channels.sms import filled_template
from reminders.delivery import deliver
from reminders.models import Message
from reminders.sweep import sweep_digests
from tests.factories import NOW, make_community, make_grid, make_user
from tests.reminders.cases import make_case, make_many
from tests.reminders.servers import Gateway, Mailbox

pytestmark = pytest.mark.django_db
TODAY = date(2022, 11, 22)
DAY = timedelta(days=1)


class TestMail:
    def test_brings_the_counts_of_a_grid_to_those_who_work_there(self, mailbox: Mailbox) -> None:
        grid = make_grid()
        make_user("grid_staff", grid, email="lin@example.org")
        make_user("grid_staff", grid, email="chen@example.org")
        make_user("grid_staff", make_grid(), email="elsewhere@example.org")
        make_user("grid_staff", grid, email="gone@example.org", is_active=False)
        make_many(2, grid=grid, day_1=TODAY)
        make_many(3, grid=grid, day_1=TODAY - DAY)
        make_many(4, grid=grid, day_1=TODAY - 6 * DAY)
        settle(Case.objects.values_list("resident", flat=True), today=TODAY)
        sweep_digests(at=NOW)

        assert deliver(channel="email", at=NOW) == 1
        (envelope,) = mailbox.mails
        assert sorted(envelope.rcpt_tos) == ["chen@example.org", "lin@example.org"]
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        body = mail.get_body()
        assert body
        assert grid.name in str(mail["Subject"])
        numbers = [line[-1] for line in body.get_content().splitlines()[1:6]]
        # Nine people; six tests today, of day 1 and day 7; seven miss an earlier one, so nobody
        # may be released; all are to be asked how they are.
        assert numbers == ["9", "6", "7", "0", "9"]

    def test_names_nobody(self, mailbox: Mailbox) -> None:
        grid = make_grid()
        make_user("grid_staff", grid, email="lin@example.org")
        make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep_digests(at=NOW)

        deliver(channel="email", at=NOW)
        assert isinstance(mailbox.mails[0].content, bytes)
        mail = message_from_bytes(mailbox.mails[0].content, policy=policy.default)
        assert "张" not in f"{mail['Subject']}{mail.get_body()}"

    def test_tries_again_when_the_server_refuses(self, mailbox: Mailbox) -> None:
        make_user("grid_staff", grid := make_grid(), email="lin@example.org")
        make_case(grid=grid, day_1=TODAY)
        sweep_digests(at=NOW)
        mailbox.answer = "451 later"
        assert deliver(channel="email", at=NOW) == 0
        mailbox.answer = "250 kept"

        assert deliver(channel="email", at=NOW + timedelta(minutes=1)) == 1
        assert len(mailbox.mails) == 1

    def test_waits_for_a_server_that_is_not_there(
        self, mailbox: Mailbox, settings: Settings
    ) -> None:
        make_user("grid_staff", grid := make_grid(), email="lin@example.org")
        make_case(grid=grid, day_1=TODAY)
        sweep_digests(at=NOW)
        settings.EMAIL_PORT = 1

        deliver(channel="email", at=NOW)
        message = Message.objects.get()
        assert (message.state, message.trouble) == ("due", "ConnectionRefusedError")

    def test_drops_the_list_of_yesterday(self, mailbox: Mailbox) -> None:
        make_user("grid_staff", grid := make_grid(), email="lin@example.org")
        make_case(grid=grid, day_1=TODAY)
        sweep_digests(at=NOW)

        assert deliver(channel="email", at=NOW + DAY) == 0
        assert Message.objects.get().state == "dropped"


class TestRobots:
    @pytest.mark.parametrize("channel", ["wecom", "dingtalk"])
    def test_bring_counts_and_a_link(
        self, channel: str, gateway: Gateway, settings: Settings
    ) -> None:
        settings.SITE_URL = "https://wangge.example.org"
        grid = make_grid()
        settings.ROBOTS = [{"area": grid.code, "channel": channel, "url": gateway.url}]
        gateway.answer = {"errcode": 0}
        make_case(grid=grid, day_1=TODAY, next_test_on=TODAY)
        sweep_digests(at=NOW)

        assert deliver(channel=channel, at=NOW) == 1
        content = gateway.requests[0]["json"]["text"]["content"]
        assert content.endswith("https://wangge.example.org/")
        assert grid.name in content
        assert "张" not in content

    def test_speak_in_the_nearest_group(self, gateway: Gateway, settings: Settings) -> None:
        community = make_community()
        near, far = make_grid(community), make_grid(community)
        gateway.answer = {"errcode": 0}
        settings.ROBOTS = [
            {"area": community.code, "channel": "wecom", "url": f"{gateway.url}?key=community"},
            {"area": near.code, "channel": "wecom", "url": f"{gateway.url}?key=near"},
        ]
        for grid in (near, far):
            make_case(grid=grid, day_1=TODAY)
        sweep_digests(at=NOW)

        deliver(channel="wecom", at=NOW)
        asked = {
            urlsplit(request["path"]).query: request["json"]["text"]["content"]
            for request in gateway.requests
        }
        assert near.name in asked["key=near"]
        assert far.name in asked["key=community"]

    def test_are_believed_only_when_they_say_so(
        self, gateway: Gateway, settings: Settings
    ) -> None:
        grid = make_grid()
        settings.ROBOTS = [{"area": grid.code, "channel": "wecom", "url": gateway.url}]
        gateway.answer = {"errcode": 45009, "errmsg": "api freq out of limit"}
        make_case(grid=grid, day_1=TODAY)
        sweep_digests(at=NOW)

        assert deliver(channel="wecom", at=NOW) == 0
        message = Message.objects.get()
        assert (message.state, message.trouble) == ("due", "errcode=45009")

    def test_sign_where_dingtalk_asks_for_it(self, gateway: Gateway, settings: Settings) -> None:
        grid = make_grid()
        settings.ROBOTS = [
            {"area": grid.code, "channel": "dingtalk", "url": gateway.url, "secret": "SEC1"}
        ]
        gateway.answer = {"errcode": 0}
        make_case(grid=grid, day_1=TODAY)
        sweep_digests(at=NOW)

        deliver(channel="dingtalk", at=NOW)
        given = parse_qs(urlsplit(gateway.requests[0]["path"]).query)
        text = f"{given['timestamp'][0]}\nSEC1".encode()
        wanted = hmac.new(b"SEC1", text, hashlib.sha256).digest()
        assert given["sign"] == [base64.b64encode(wanted).decode()]


class TestFilled:
    def test_fills_every_string_however_deep(self) -> None:
        template = {"to": ["{phone}"], "params": {"content": "【{text}】", "n": 1}}

        assert filled_template(template, {"phone": "138", "text": "a {phone}", "key": ""}) == {
            "to": ["138"],
            "params": {"content": "【a {phone}】", "n": 1},
        }
