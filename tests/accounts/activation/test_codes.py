"""Activation codes: for one account, once, for three days, and only the latest."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts.activation import codes
from accounts.activation.models import ActivationCode
from accounts.auditing.models import AuditEntry
from accounts.staff.models import Role, User
from common import clock
from tests.factories import NOW, make_user

pytestmark = pytest.mark.django_db

PAPER = ActivationCode.Way.PAPER
NEW = "eine neue lange Losung"


@pytest.fixture
def admin() -> User:
    return make_user(Role.ADMINISTRATOR)


@pytest.fixture
def owner() -> User:
    user = make_user(username="wang")
    user.set_unusable_password()
    user.save()
    return user


def issue(owner: User, admin: User) -> str:
    return codes.issue(account=owner, way=PAPER, at=NOW, by=admin)


class TestACode:
    def test_lets_its_holder_choose_the_password(self, owner: User, admin: User) -> None:
        code = issue(owner, admin)

        assert codes.activate(code=code, password=NEW, at=NOW) == owner

        owner.refresh_from_db()
        assert owner.check_password(NEW)
        assert owner.is_activated

    def test_is_read_as_people_type_it(self, owner: User, admin: User) -> None:
        code = issue(owner, admin)

        codes.activate(code=f" {code.upper().replace('-', ' ')} ", password=NEW, at=NOW)

        assert ActivationCode.objects.get().used_at == NOW

    def test_is_kept_nowhere(self, owner: User, admin: User) -> None:
        code = issue(owner, admin)

        row = ActivationCode.objects.filter(account=owner).values_list().get()
        assert code not in str(row)
        assert code.replace("-", "") not in str(row)
        assert code not in str(AuditEntry.objects.values_list("detail", flat=True))

    def test_opens_once_and_says_afterwards_when_it_was_used(
        self, owner: User, admin: User
    ) -> None:
        code = issue(owner, admin)
        codes.activate(code=code, password=NEW, at=NOW)

        with pytest.raises(codes.CodeError, match="2022-11-22 10:00"):
            codes.activate(code=code, password="another long password", at=NOW)

        owner.refresh_from_db()
        assert owner.check_password(NEW)

    def test_opens_nothing_after_three_days(self, owner: User, admin: User) -> None:
        code = issue(owner, admin)
        last = NOW + codes.VALID_FOR

        with pytest.raises(codes.CodeError):
            codes.activate(code=code, password=NEW, at=last)
        codes.activate(code=code, password=NEW, at=last - timedelta(seconds=1))

    def test_opens_nothing_once_another_was_issued(self, owner: User, admin: User) -> None:
        old, new = issue(owner, admin), issue(owner, admin)

        with pytest.raises(codes.CodeError):
            codes.activate(code=old, password=NEW, at=NOW)
        codes.activate(code=new, password=NEW, at=NOW)

    def test_opens_no_closed_account(self, owner: User, admin: User) -> None:
        code = issue(owner, admin)
        User.objects.filter(pk=owner.pk).update(is_active=False)

        with pytest.raises(codes.CodeError):
            codes.activate(code=code, password=NEW, at=NOW)

    def test_is_not_spent_on_a_weak_password(self, owner: User, admin: User) -> None:
        code = issue(owner, admin)

        with pytest.raises(codes.PasswordError):
            codes.activate(code=code, password="12345678901", at=NOW)
        codes.activate(code=code, password=NEW, at=NOW)

    def test_is_another_one_each_time(self) -> None:
        assert len({codes.random_code() for _ in range(100)}) == 100

    @pytest.mark.parametrize(
        "change", [{"used_at": None}, {"code_hash": "0" * 64}, {"revoked_at": NOW}, None]
    )
    def test_stays_as_it_was_once_it_is_used(
        self, owner: User, admin: User, change: dict[str, object] | None
    ) -> None:
        codes.activate(code=issue(owner, admin), password=NEW, at=NOW)
        rows = ActivationCode.objects.all()

        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**change) if change else rows.delete()


class TestThePage:
    def test_activates_without_signing_in_and_leads_to_the_sign_in(
        self, client: Client, owner: User, admin: User
    ) -> None:
        code = codes.issue(account=owner, way=PAPER, at=clock.now(), by=admin)

        answer = client.post(
            reverse("activate"), {"code": code, "password1": NEW, "password2": NEW}
        )

        assert answer.headers["Location"] == reverse("account_login")
        owner.refresh_from_db()
        assert owner.check_password(NEW)

    @pytest.mark.parametrize(
        "typed",
        [
            {"code": "aaaa-bbbb-cccc-dddd", "password1": NEW, "password2": NEW},
            {"code": "", "password1": NEW, "password2": NEW},
            {"code": "right", "password1": NEW, "password2": "another long password"},
            {"code": "right", "password1": "short", "password2": "short"},
        ],
    )
    def test_says_what_is_wrong_and_spends_nothing(
        self, client: Client, owner: User, admin: User, typed: dict[str, str]
    ) -> None:
        code = codes.issue(account=owner, way=PAPER, at=clock.now(), by=admin)
        given = {**typed, "code": code if typed["code"] == "right" else typed["code"]}

        answer = client.post(reverse("activate"), given)

        assert answer.status_code == 422
        assert "error-summary" in answer.content.decode()
        assert not ActivationCode.objects.get().used_at

    def test_takes_no_more_than_twenty_tries_from_one_address(
        self, client: Client, owner: User, admin: User
    ) -> None:
        wrong = {"code": "aaaa-bbbb-cccc-dddd", "password1": NEW, "password2": NEW}
        for _ in range(20):
            client.post(reverse("activate"), wrong)
        code = codes.issue(account=owner, way=PAPER, at=clock.now(), by=admin)

        client.post(reverse("activate"), {**wrong, "code": code})

        assert not ActivationCode.objects.get().used_at


class TestTheOwner:
    def test_sees_which_codes_were_issued_by_whom_and_used_when(
        self, client: Client, owner: User, admin: User
    ) -> None:
        codes.activate(code=issue(owner, admin), password=NEW, at=NOW)
        owner.refresh_from_db()
        client.force_login(owner)

        page = client.get(reverse("own_history")).content.decode()

        assert admin.name in page
        assert "2022-11-22 10:00" in page
