"""What a resident reads: one SMS of seventy characters, the gateway's signature counted in."""

from datetime import date, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from accounts.staff.models import Area
from policy.engine.calendars import plans as engine
from policy.engine.calendars.plans import PlannedStage
from policy.models import Provision
from quarantine.models import Case, Plan
from reminders import texts
from reminders.delivery import deliver
from reminders.models import Change, Message
from reminders.sweep import sweep
from residents.register.masking import surname_of
from residents.register.models import Resident
from tests.factories import NOW, make_community, make_grid
from tests.reminders.cases import make_case
from tests.reminders.servers import Gateway

pytestmark = pytest.mark.django_db
# As long as days get in Chinese.
LAST_DAY = date(2022, 12, 31)
PHONE = "0591-88886666"
ONE_SMS = 70
LATEST = 10**6
Kind = Message.Kind


@pytest.fixture
def community() -> Area:
    community = make_community()
    Area.objects.filter(pk=community.pk).update(name="金山社区", phone=PHONE)
    community.refresh_from_db()
    return community


@pytest.fixture
def case(community: Area) -> Case:
    return make_case(grid=make_grid(community), day_1=date(2022, 12, 22))


def message_for(case: Case, kind: Kind, **given: Any) -> Message:
    # Not written: what was written before it comes first.
    return Message(
        pk=LATEST, case=case, grid=case.grid, kind=kind, day=LAST_DAY, channel="sms", **given
    )


def changed(
    case: Case,
    *,
    law: str = "cn-2022-113",
    before: date | None = None,
    now: date | None = None,
    freed: bool = False,
) -> Message:
    """Make the message on a change from one day of release to another, under clause 3."""
    content = engine.Plan(law, "3", "close_contacts", stages=(PlannedStage("home", 5),))
    provision, _ = Provision.objects.get_or_create(
        document=law, clause="3", subject="close_contacts"
    )
    plan, _ = Plan.objects.get_or_create(
        digest=content.digest, defaults={"provision": provision, "content": content.to_json()}
    )
    case.release_on = now
    case.save(update_fields=["release_on"])
    Change.objects.filter(case=case).update(replaced_at=NOW)
    change = Change.objects.create(
        case=case,
        grid=case.grid,
        at=NOW,
        law=law,
        transition="freed" if freed else "follows",
        before_plan=case.plan,
        before_release_on=before,
        after_plan=plan,
        after_release_on=now,
    )
    return message_for(case, Kind.CHANGED, change=change, since=change)


def read(message: Message) -> str:
    case = message.case
    assert case is not None
    return texts.for_resident(message, case.resident, texts.community_of(message.grid))


OTHER = LAST_DAY - timedelta(days=1)
CHANGES: dict[str, dict[str, Any]] = {
    "end moves": {"before": LAST_DAY, "now": OTHER},
    "end is new": {"now": LAST_DAY},
    "end holds no longer": {"before": LAST_DAY},
    "other tests": {"before": LAST_DAY, "now": LAST_DAY},
    "no test left": {"before": LAST_DAY, "now": LAST_DAY, "freed": True},
}
TOLD = [Kind.TEST_TOMORROW, Kind.TEST_TODAY, Kind.TEST_OVERDUE, Kind.RELEASE_TODAY, Kind.RELEASED]


class TestOneSMS:
    @pytest.fixture(autouse=True)
    def shared(self, case: Case) -> None:
        """Let the phone serve two people, so that each text says whom it means."""
        other = make_case(grid=case.grid, day_1=date(2022, 12, 22))
        assert other.resident.phone_hash == case.resident.phone_hash
        Resident.objects.filter(pk=case.resident_id).update(sex="male")
        case.resident.refresh_from_db()

    def signed(self, text: str, community: Area) -> str:
        return f"【{community.name}】{text}"

    @pytest.mark.parametrize("kind", TOLD)
    def test_holds_each_reminder(self, kind: Kind, case: Case, community: Area) -> None:
        text = read(message_for(case, kind))

        assert text.startswith("张先生，")
        assert text.endswith(f"。电话{PHONE}")
        assert len(self.signed(text, community)) <= ONE_SMS

    @pytest.mark.parametrize("law", ["cn-2022-113", "fujian-2022-12"])
    @pytest.mark.parametrize("days", CHANGES.values(), ids=CHANGES)
    def test_holds_each_correction_of_a_change(
        self, law: str, days: dict[str, Any], case: Case, community: Area
    ) -> None:
        Message.objects.create(
            case=case,
            grid=case.grid,
            kind=Kind.CHANGED,
            day=LAST_DAY,
            channel="sms",
            state="sent",
            sent_at=NOW,
            created_at=NOW,
            not_before=NOW,
            change=(told := changed(case, **CHANGES["other tests"]).change),
            since=told,
        )
        message = changed(case, law=law, **days)

        text = read(message)

        assert text.startswith("更正：张先生，按")
        assert "《" not in text
        assert len(self.signed(text, community)) <= ONE_SMS

    def test_is_complete_in_english(self, case: Case, settings: Settings) -> None:
        settings.LANGUAGE_CODE = "en"

        text = read(message_for(case, Kind.TEST_TODAY))

        assert text.startswith("Mr 张: Today (December 31)")
        assert text.endswith(f"Community: {PHONE}")


class TestWhomItMeans:
    def test_is_not_said_where_the_phone_is_their_own(self, case: Case) -> None:
        assert read(message_for(case, Kind.RELEASED)).startswith("您的健康管理已于12月31日结束")

    def test_is_not_said_for_a_house_mate_who_is_under_nothing(self, case: Case) -> None:
        other = make_case(grid=case.grid, day_1=date(2022, 12, 22))
        Case.objects.filter(pk=other.pk).update(closed_on=LAST_DAY, closed_as="released")

        assert read(message_for(case, Kind.RELEASED)).startswith("您的")

    @pytest.mark.parametrize(
        ("name", "surname"), [("张三", "张"), ("欧阳明月", "欧阳"), ("ANNA SMITH", "ANNA")]
    )
    def test_is_a_surname(self, name: str, surname: str) -> None:
        assert surname_of(name) == surname


class TestThePhone:
    def test_of_the_grid_goes_before_that_of_the_community(self, case: Case) -> None:
        case.grid.phone = "0591-11112222"

        assert read(message_for(case, Kind.RELEASED)).endswith("电话0591-11112222")

    def test_is_left_out_where_the_place_has_none(self, case: Case, community: Area) -> None:
        Area.objects.filter(pk=community.pk).update(phone="")

        assert read(message_for(case, Kind.RELEASED)).endswith("感谢您的理解和配合。")

    def test_and_the_name_of_the_community_reach_the_gateway(
        self, case: Case, gateway: Gateway, settings: Settings
    ) -> None:
        settings.SMS_GATEWAY["body"] = {"to": "{phone}", "text": "【{community}】{text}"}
        Case.objects.filter(pk=case.pk).update(next_test_on=NOW.date())
        sweep(at=NOW)

        deliver(channel="sms", at=NOW)

        (request,) = gateway.requests
        assert request["json"]["text"].startswith("【金山社区】")
        assert request["json"]["text"].endswith(PHONE)


class TestWhereANoticeHasNoNumber:
    @pytest.mark.parametrize(
        ("law", "named"),
        [("cn-2022-113", "按113号文件第3条"), ("fujian-2022-12", "按福建省文件第3条")],
    )
    def test_the_place_that_issued_it_stands_for_it(
        self, law: str, named: str, case: Case
    ) -> None:
        assert read(changed(case, law=law, now=LAST_DAY)).startswith(named)
