"""Two administrators of two employers decide about accounts; nobody is both."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts.activation import codes
from accounts.activation.models import ActivationCode
from accounts.auditing.models import AuditEntry
from accounts.proposals import rules
from accounts.proposals.models import AccountProposal
from accounts.services import NotOnOneselfError, SecondNeededError, create_account
from accounts.staff.authority import NotBelowError
from accounts.staff.models import Area, Role, User
from accounts.voices import independence
from accounts.voices.models import Intervention
from portal.staffing import proposals
from portal.staffing.proposals import Delivery, Issued
from tests.factories import NOW, PASSWORD, make_community, make_grid, make_user

pytestmark = pytest.mark.django_db

Way = ActivationCode.Way
PAPER, MAIL = Delivery(Way.PAPER), Delivery(Way.EMAIL)
NEW = "eine neue lange Losung"


@pytest.fixture
def community() -> Area:
    return make_community()


@pytest.fixture
def grid(community: Area) -> Area:
    return make_grid(community)


@pytest.fixture
def first(community: Area) -> User:
    return at_the_top("示例防控办")


@pytest.fixture
def second(community: Area) -> User:
    return at_the_top("示例疾控")


def at_the_top(employer: str) -> User:
    roots = Area.objects.filter(depth=1)
    return make_user(Role.ADMINISTRATOR, *roots, employer=employer)


def values(role: str, *areas: Area, **given: Any) -> dict[str, Any]:
    said = {"name": "王五", "role": role, "employer": "示例防控办", "email": "wang@example.cn"}
    return {**said, "areas": list(areas), **given}


def made(by: User, role: str, *areas: Area, **given: Any) -> Issued | AccountProposal:
    return proposals.make(
        username="wang", values=values(role, *areas, **given), delivery=PAPER, at=NOW, by=by
    )


def proposed(by: User, role: str, *areas: Area, **given: Any) -> AccountProposal:
    proposal = made(by, role, *areas, **given)
    assert isinstance(proposal, AccountProposal)
    return proposal


def changed(account: User, by: User, **given: Any) -> AccountProposal | None:
    now = {name: getattr(account, name) for name in ("name", "role", "employer", "email")}
    said = {**now, "areas": list(account.areas.all()), **given}
    return proposals.change(account=account, values=said, taker=None, at=NOW, by=by)


def approve(proposal: AccountProposal, by: User) -> Issued | None:
    return proposals.approve(proposal=proposal, at=NOW, by=by)


def two_voices(first: User, second: User) -> bool:
    return not independence.no_second_voice(first=first, second=second)


class TestOneAdministratorAlone:
    def test_makes_an_account_without_learning_its_password(
        self, first: User, community: Area, grid: Area
    ) -> None:
        issued = made(first, Role.GRID_STAFF, grid)

        assert isinstance(issued, Issued)
        account = issued.account
        assert not account.is_activated
        assert not account.check_password(issued.code)
        assert not two_voices(first, account)
        assert ActivationCode.objects.get(account=account).waits(NOW)

    def test_makes_an_account_of_no_new_employer(self, first: User, grid: Area) -> None:
        proposal = made(first, Role.GRID_STAFF, grid, employer="示例虚构单位")

        assert isinstance(proposal, AccountProposal)
        assert not User.objects.filter(username="wang").exists()

    @pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AUDITOR])
    def test_makes_no_administrator_and_no_auditor(self, first: User, role: Role) -> None:
        roots = Area.objects.filter(depth=1)

        assert isinstance(made(first, role, *roots), AccountProposal)
        with pytest.raises(SecondNeededError):
            create_account(username="li", **values(role, *roots), at=NOW, by=first)
        assert not User.objects.filter(username__in=["wang", "li"]).exists()

    def test_resets_a_password_but_no_second_factor(self, first: User, community: Area) -> None:
        person = make_user(Role.SUPERVISOR, community)
        Authenticator.objects.create(user=person, type="totp", data={"secret": ""})

        issued = proposals.reset(account=person, delivery=PAPER, factor=False, at=NOW, by=first)

        assert isinstance(issued, Issued)
        person.refresh_from_db()
        assert not person.check_password(PASSWORD)
        assert Authenticator.objects.filter(user=person).exists()
        assert not two_voices(first, person)

    def test_only_proposes_to_remove_a_second_factor(self, first: User, community: Area) -> None:
        person = make_user(Role.SUPERVISOR, community)

        outcome = proposals.reset(account=person, delivery=PAPER, factor=True, at=NOW, by=first)

        assert isinstance(outcome, AccountProposal)
        person.refresh_from_db()
        assert person.check_password(PASSWORD)

    def test_changes_areas_and_addresses_which_ends_the_second_voice(
        self, first: User, community: Area, grid: Area
    ) -> None:
        moved = make_user(Role.SUPERVISOR, community)
        readdressed = make_user(Role.SUPERVISOR, community)
        renamed = make_user(Role.SUPERVISOR, community)

        assert changed(moved, first, areas=[grid]) is None
        assert changed(readdressed, first, email="wang@example.cn") is None
        assert changed(renamed, first, name="李四") is None

        assert not two_voices(first, moved)
        assert not two_voices(first, readdressed)
        assert two_voices(first, renamed)

    @pytest.mark.parametrize("given", [{"role": Role.SUPERVISOR}, {"employer": "示例疾控"}])
    def test_changes_no_role_and_no_employer(
        self, first: User, second: User, grid: Area, given: dict[str, str]
    ) -> None:
        person = make_user(Role.GRID_STAFF, grid, employer="示例防控办")

        proposal = changed(person, first, **given)

        assert proposal
        person.refresh_from_db()
        assert (person.role, person.employer) == (Role.GRID_STAFF, "示例防控办")
        approve(proposal, second)
        now = User.objects.filter(pk=person.pk).values(*given).get()
        assert now == given
        assert two_voices(first, person)

    def test_closes_and_opens_no_other_administrator(self, first: User, second: User) -> None:
        third = at_the_top("示例卫健委")

        closing = proposals.close(account=third, taker=None, at=NOW, by=first)

        assert closing
        assert User.objects.get(pk=third.pk).is_active
        approve(closing, second)
        assert not User.objects.get(pk=third.pk).is_active
        third.refresh_from_db()
        opening = proposals.reopen(account=third, delivery=PAPER, at=NOW, by=first)
        assert isinstance(opening, AccountProposal)
        assert not User.objects.get(pk=third.pk).is_active
        approve(opening, second)
        assert User.objects.get(pk=third.pk).is_active

    def test_does_nothing_on_their_own_account(self, first: User, second: User) -> None:
        with pytest.raises(NotOnOneselfError):
            changed(first, first, employer="示例疾控")
        with pytest.raises(NotOnOneselfError):
            proposals.reset(account=first, delivery=PAPER, factor=True, at=NOW, by=first)
        with pytest.raises(NotOnOneselfError):
            proposals.close(account=first, taker=None, at=NOW, by=first)
        assert changed(first, first, email="a@example.cn") is None


class TestTheAttack:
    """What an administrator tried who wanted to be both voices."""

    def test_of_an_invented_administrator_ends_with_a_proposal(
        self, client: Client, first: User
    ) -> None:
        client.force_login(first)
        roots = list(Area.objects.filter(depth=1).values_list("pk", flat=True))
        data = {"username": "puppet", "name": "某", "employer": "示例虚构单位", "areas": roots}

        answer = client.post(
            reverse("person_new"), {**data, "role": "administrator", "way": "paper"}
        )

        proposal = AccountProposal.objects.get()
        assert answer.headers["Location"] == reverse("proposal_detail", args=[proposal.key])
        assert not User.objects.filter(username="puppet").exists()
        assert not ActivationCode.objects.exists()
        client.post(reverse("proposal_approve", args=[proposal.key]))
        assert not User.objects.filter(username="puppet").exists()

    def test_of_a_reset_second_administrator_ends_with_a_proposal(
        self, client: Client, first: User, second: User
    ) -> None:
        Authenticator.objects.create(user=second, type="totp", data={"secret": ""})
        client.force_login(first)

        client.post(reverse("person_reset", args=[second.key]), {"way": "paper"})

        second.refresh_from_db()
        assert second.check_password(PASSWORD)
        assert Authenticator.objects.filter(user=second).exists()
        assert not ActivationCode.objects.exists()

    def test_of_a_communitys_administrator_with_two_made_accounts_finds_one_voice(
        self, community: Area, grid: Area
    ) -> None:
        admin = make_user(Role.ADMINISTRATOR, community, employer="示例街道办")
        worker = proposals.make(
            username="worker",
            values=values(Role.GRID_STAFF, grid, employer="示例街道办"),
            delivery=PAPER,
            at=NOW,
            by=admin,
        )
        supervisor = proposals.make(
            username="supervisor",
            values=values(Role.SUPERVISOR, community, employer="示例街道办"),
            delivery=PAPER,
            at=NOW,
            by=admin,
        )

        assert isinstance(worker, Issued)
        assert isinstance(supervisor, Issued)
        assert not two_voices(worker.account, supervisor.account)

    def test_of_a_lower_administrator_reaches_no_account_that_reaches_further(
        self, client: Client, community: Area
    ) -> None:
        other = make_community()
        both = make_user(Role.SUPERVISOR, community, other)
        auditor = make_user(Role.AUDITOR)
        admin = make_user(Role.ADMINISTRATOR, community)
        client.force_login(admin)

        for account in (both, auditor):
            for name in ("person_reset", "person_change", "person_deactivate"):
                answer = client.post(
                    reverse(name, args=[account.key]), {"way": "paper", "role": "administrator"}
                )
                assert answer.status_code == 404
            account.refresh_from_db()
            assert account.is_active
            assert account.check_password(PASSWORD)

    @pytest.mark.parametrize("role", [Role.AUDITOR, Role.ADMINISTRATOR])
    def test_of_a_lower_administrator_makes_no_auditor_and_no_peer(
        self, community: Area, role: Role
    ) -> None:
        admin = make_user(Role.ADMINISTRATOR, community, employer="示例防控办")

        with pytest.raises(NotBelowError):
            made(admin, role, community)
        person = make_user(Role.SUPERVISOR, community, employer="示例防控办")
        with pytest.raises(NotBelowError):
            changed(person, admin, role=role)
        assert not AccountProposal.objects.exists()

    def test_of_a_lower_administrator_finds_no_api_keys(
        self, client: Client, community: Area, first: User
    ) -> None:
        client.force_login(make_user(Role.ADMINISTRATOR, community))
        assert client.get(reverse("client_list")).status_code == 403
        assert client.post(reverse("client_list"), {"name": "x"}).status_code == 403

        client.force_login(first)
        assert client.get(reverse("client_list")).status_code == 200


class TestASecondAdministrator:
    def test_makes_an_account_a_voice_of_its_own(self, first: User, second: User) -> None:
        roots = Area.objects.filter(depth=1)
        third = at_the_top("示例卫健委")
        proposal = proposals.make(
            username="wang",
            values=values(Role.ADMINISTRATOR, *roots),
            delivery=MAIL,
            at=NOW,
            by=first,
        )
        assert isinstance(proposal, AccountProposal)

        issued = approve(proposal, second)

        assert issued
        assert issued.delivery == MAIL
        account = issued.account
        assert (account.role, account.employer) == (Role.ADMINISTRATOR, "示例防控办")
        assert all(two_voices(one, account) for one in (first, second, third))
        entry = AuditEntry.objects.get(did="made account")
        assert (entry.actor, entry.detail["proposed_by"]) == (second.key, str(first.key))

    def test_who_prints_the_code_is_no_second_voice_until_another_confirms(
        self, first: User, second: User
    ) -> None:
        issued = approve(
            proposed(first, Role.ADMINISTRATOR, *Area.objects.filter(depth=1)), second
        )

        assert issued
        assert two_voices(first, issued.account)
        assert not two_voices(second, issued.account)
        with pytest.raises(independence.NoSecondVoiceError):  # nobody holds the account yet
            independence.confirm(account=issued.account, at=NOW, by=first)
        codes.activate(code=issued.code, password=NEW, at=NOW)
        independence.confirm(account=issued.account, at=NOW, by=first)
        assert two_voices(second, issued.account)

    def test_resets_the_second_factor_of_an_administrator(self, first: User, second: User) -> None:
        third = at_the_top("示例卫健委")
        Authenticator.objects.create(user=third, type="totp", data={"secret": ""})
        proposal = proposals.reset(account=third, delivery=PAPER, factor=True, at=NOW, by=first)
        assert isinstance(proposal, AccountProposal)

        issued = approve(proposal, second)

        assert issued
        assert not Authenticator.objects.filter(user=third).exists()
        codes.activate(code=issued.code, password=NEW, at=NOW)
        third.refresh_from_db()
        assert third.check_password(NEW)

    def test_must_be_another_voice_of_another_employer_above_the_account(
        self, first: User, second: User, community: Area
    ) -> None:
        person = make_user(Role.SUPERVISOR, community, employer="示例防控办")
        proposal = changed(person, first, employer="示例疾控")
        assert proposal
        puppet = at_the_top("示例虚构单位")
        independence.record(account=puppet, kind=Intervention.Kind.MADE, at=NOW, by=first)
        unfit = [
            first,
            person,
            puppet,
            at_the_top("示例防控办"),
            at_the_top(""),
            make_user(Role.ADMINISTRATOR, make_grid(community), employer="示例卫健委"),
            make_user(Role.SUPERVISOR, community, employer="示例卫健委"),
        ]

        for by in unfit:
            with pytest.raises(proposals.NotFitToDecideError):
                approve(proposal, by)
        person.refresh_from_db()
        assert person.employer == "示例防控办"
        community_admin = make_user(Role.ADMINISTRATOR, community, employer="示例卫健委")
        assert not rules.unfit(proposal=proposal, by=community_admin)
        approve(proposal, second)

    def test_approves_what_stands_there_and_nothing_that_changed_meanwhile(
        self, first: User, second: User, grid: Area
    ) -> None:
        person = make_user(Role.GRID_STAFF, grid, employer="示例防控办")
        proposal = changed(person, first, employer="示例疾控")
        assert proposal
        changed(person, first, name="李四")

        with pytest.raises(proposals.NotWaitingError):
            approve(proposal, second)

        proposals.refuse(proposal=proposal, at=NOW, by=second)
        with pytest.raises(proposals.NotWaitingError):
            approve(proposal, second)

    def test_decides_once(self, first: User, second: User, grid: Area) -> None:
        person = make_user(Role.GRID_STAFF, grid, employer="示例防控办")
        proposal = changed(person, first, employer="示例疾控")
        assert proposal
        with pytest.raises(proposals.AlreadyProposedError):
            changed(person, first, employer="示例疾控")
        approve(proposal, second)

        with pytest.raises(proposals.NotWaitingError):
            approve(proposal, second)
        with pytest.raises(proposals.NotWaitingError):
            proposals.refuse(proposal=proposal, at=NOW, by=first)

    def test_lets_a_phone_go_with_the_decision(
        self, first: User, second: User, community: Area
    ) -> None:
        person = make_user(Role.SUPERVISOR, community)
        sms = Delivery(Way.SMS, "+8613800138000")
        for decide in (approve, lambda it, by: proposals.refuse(proposal=it, at=NOW, by=by)):
            it = proposals.reset(account=person, delivery=sms, factor=True, at=NOW, by=first)
            assert isinstance(it, AccountProposal)
            assert it.phone == "+8613800138000"

            decide(it, second)

            it.refresh_from_db()
            assert it.phone == ""
        assert ActivationCode.objects.get().sent_to == "138****8000"

    def test_finds_a_user_name_taken_meanwhile(
        self, first: User, second: User, grid: Area
    ) -> None:
        proposal = proposed(first, Role.ADMINISTRATOR, grid)
        make_user(username="Wang")

        with pytest.raises(proposals.UserNameTakenError):
            approve(proposal, second)


class TestTheDatabase:
    @pytest.mark.parametrize("who", ["first", "account", "puppet", "colleague"])
    def test_refuses_who_is_no_second_voice(
        self, first: User, second: User, grid: Area, who: str
    ) -> None:
        person = make_user(Role.GRID_STAFF, grid, employer="示例防控办")
        proposal = changed(person, first, employer="示例疾控")
        assert proposal
        puppet = at_the_top("示例虚构单位")
        independence.record(account=puppet, kind=Intervention.Kind.MADE, at=NOW, by=first)
        by = {
            "first": first,
            "account": person,
            "puppet": puppet,
            "colleague": at_the_top("示例防控办"),
        }[who]

        with pytest.raises(DatabaseError), transaction.atomic():
            AccountProposal.objects.filter(pk=proposal.pk).update(
                approved_by=by, approved_at=NOW, approver_employer=by.employer
            )

    @pytest.mark.parametrize("change", [{"values": {}}, {"kind": "close"}, {"way": "sms"}, None])
    def test_keeps_what_was_proposed(
        self, first: User, grid: Area, change: dict[str, Any] | None
    ) -> None:
        proposal = proposed(first, Role.ADMINISTRATOR, grid)
        rows = AccountProposal.objects.filter(pk=proposal.pk)

        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            rows.update(**change) if change else rows.delete()


class TestWhoeverMadeAnAccount:
    def test_cannot_use_its_code_unseen(self, client: Client, first: User, grid: Area) -> None:
        issued = made(first, Role.GRID_STAFF, grid)
        assert isinstance(issued, Issued)
        codes.activate(code=issued.code, password="the maker's password", at=NOW)

        with pytest.raises(codes.CodeError, match="10:00"):
            codes.activate(code=issued.code, password=NEW, at=NOW + timedelta(hours=1))
        again = proposals.reset(
            account=issued.account, delivery=PAPER, factor=False, at=NOW, by=first
        )
        assert isinstance(again, Issued)
        codes.activate(code=again.code, password=NEW, at=NOW)
        client.force_login(User.objects.get(pk=issued.account.pk))
        page = client.get(reverse("own_history")).content.decode()

        assert page.count("2022-11-22 10:00") >= 4  # made, reset, both codes used
