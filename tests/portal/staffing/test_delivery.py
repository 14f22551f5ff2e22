"""Activation codes reach their owner, and nobody else sees them."""

from typing import Any

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from accounts.activation.models import ActivationCode
from accounts.staff.models import Role, User
from portal.staffing import delivery
from portal.staffing.proposals import Delivery, Issued
from reminders.channels import web
from tests.factories import make_community, make_user

pytestmark = pytest.mark.django_db

Way = ActivationCode.Way
CODE, ADDRESS = "abcd-efgh-jkmn-pqrs", "https://portal.example.cn/accounts/activate/"


class TestACode:
    def test_goes_to_the_owners_phone(
        self, settings: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        sent: list[dict[str, Any]] = []
        settings.SMS_GATEWAY = {"url": "http://gateway.example/"}
        monkeypatch.setattr(web, "post", lambda _url, **content: sent.append(content["json"]))

        owner = make_user(username="wang")
        issued = Issued(owner, CODE, Delivery(Way.SMS, "+8613800138000"))
        delivery.send(issued, address=ADDRESS)

        assert [message["to"] for message in sent] == ["+8613800138000"]
        assert all(part in sent[0]["text"] for part in ("wang", CODE, ADDRESS, "开通码"))

    def test_goes_to_the_owners_mailbox_and_is_not_shown(
        self, settings: Settings, client: Client
    ) -> None:
        settings.EMAIL_URL = "smtp://mail.example.cn"
        settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
        community = make_community()
        client.force_login(make_user(Role.ADMINISTRATOR, community, employer="示例街道办"))
        data = {"username": "wang", "name": "王五", "role": "supervisor", "way": "email"}
        given = {"email": "wang@example.cn", "employer": "示例街道办", "areas": [community.pk]}

        answer = client.post(reverse("person_new"), {**data, **given}, follow=True)

        (letter,) = mail.outbox
        code = letter.body.split("凭开通码")[1][:19]
        assert letter.to == ["wang@example.cn"]
        assert code not in answer.content.decode()
        assert ActivationCode.objects.get().sent_to == "w***@example.cn"
        new = "eine neue lange Losung"
        client.post(reverse("activate"), {"code": code, "password1": new, "password2": new})
        assert User.objects.get(username="wang").check_password(new)

    def test_is_offered_by_the_ways_that_are_set_up(self, settings: Settings) -> None:
        settings.SMS_GATEWAY, settings.EMAIL_URL = {}, ""
        assert delivery.configured() == [Way.PAPER]
        settings.SMS_GATEWAY, settings.EMAIL_URL = {"url": "http://x/"}, "smtp://x"
        assert delivery.configured() == [Way.SMS, Way.EMAIL, Way.PAPER]
