from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Area, Role, User
from policy import drafts, services
from policy.engine.documents.library import DOCUMENTS, Library, shipped
from policy.engine.documents.loader import LONGEST_EXAMPLES
from policy.models import Provision, StoredDocument
from tests import factories

pytestmark = pytest.mark.django_db

AT = datetime(2022, 12, 20, 2, tzinfo=UTC)
# An invented notice: ordinary arrivals stay at home for two days.
NOTICE = """\
id: demo-city-2022-1
title: {zh: 演示市通告, en: Notice of the demo city}
number: {zh: 演示〔2022〕1号, en: Demo 2022 No. 1}
issuer: {zh: 演示市指挥部, en: Headquarters of the demo city}
area: "350100"
in_force_from: 2022-12-20
parent: fujian-2022-12
checked_on: 2022-12-20
clauses: ["1"]
provisions:
  - subject: arrivals
    clause: "1"
    who: {arrived_from: outside_area}
    stages:
      - {setting: home, days: 2, tests: [1, 2], movement: forbidden}
    summary: {zh: "市外来人居家两天，第1、2天核酸。", en: "Two days at home for others."}
""".encode()
# What somebody tried to get through: its values have nothing to do with its summary.
MISLEADING = """\
id: demo-city-2022-2
title: {zh: 演示市通告, en: Notice of the demo city}
number: {zh: 演示〔2022〕2号, en: Demo 2022 No. 2}
issuer: {zh: 演示市指挥部, en: Headquarters of the demo city}
area: "350100"
in_force_from: 2022-12-20
parent: fujian-2022-12
checked_on: 2022-12-20
clauses: ["1"]
provisions:
  - subject: arrivals
    clause: "1"
    who: {arrived_from: outside_area}
    stages:
      - {setting: home, days: 40, tests: [1, 20, 40], movement: forbidden}
    on_arrival: {proof_hours: 12, landing_test: without_proof}
    summary: {zh: 市外来人凭四十八小时核酸证明，居家三天。, en: "48 hours, three days."}
""".encode()
EXAMPLES = """\
- name: {zh: 市外来人居家2天, en: Two days at home}
  question:
    ask: measure
    policy: demo-city-2022-1
    day: "2022-12-21"
    person: {arrived_from: "110000"}
  expect:
    measure: {policy: demo-city-2022-1, clause: "1"}
    required_tests: ["2022-12-21", "2022-12-22"]
""".encode()


@pytest.fixture(autouse=True)
def fresh_library() -> Iterator[None]:
    yield
    services.forget_library()


@pytest.fixture
def one() -> User:
    return factories.make_user(Role.ADMINISTRATOR)


@pytest.fixture
def another() -> User:
    return factories.make_user(Role.ADMINISTRATOR)


def upload(by: User, content: bytes = NOTICE, examples: bytes = b"") -> StoredDocument:
    return drafts.upload(content=content, name="notice.yaml", examples=examples, at=AT, by=by)


class TestADraft:
    def test_decides_nothing_before_it_is_approved(self, one: User) -> None:
        upload(one)
        services.refresh_library()

        assert "demo-city-2022-1" not in services.library().documents

    def test_decides_like_a_shipped_document_once_approved(self, one: User, another: User) -> None:
        drafts.approve(draft=upload(one), at=AT, by=another)

        law = services.library().law("demo-city-2022-1")
        assert [document.id for document in law.documents][:2] == [
            "demo-city-2022-1",
            "fujian-2022-12",
        ]
        assert Provision.objects.filter(document="demo-city-2022-1", clause="1").exists()

    def test_is_not_approved_by_who_uploaded_it(self, one: User) -> None:
        with pytest.raises(drafts.OwnDraftError):
            drafts.approve(draft=upload(one), at=AT, by=one)

    def test_is_settled_once(self, one: User, another: User) -> None:
        draft = upload(one)
        drafts.discard(draft=draft, at=AT, by=another)

        with pytest.raises(drafts.SettledDraftError):
            drafts.approve(draft=draft, at=AT, by=another)

    def test_says_where_it_goes_further_than_its_parent(self) -> None:
        findings = drafts.preview(NOTICE, "notice.yaml").findings

        assert [(f.subject, f.verdict) for f in findings] == [("arrivals", "stricter")]

    def test_of_an_id_that_waits_already_is_refused(self, one: User, another: User) -> None:
        upload(one)

        with pytest.raises(drafts.IdTakenError):
            upload(another)

    @pytest.mark.parametrize(
        ("content", "words"),
        [
            (NOTICE.replace(b"days: 2", b"days: two"), "第15行：days：须为整数"),
            (NOTICE.replace(b"clause:", b"clausula:"), "11"),
            (NOTICE.replace(b"demo-city-2022-1", b"cn-2022-113"), "cn-2022-113"),
            (NOTICE.replace(b"parent: fujian-2022-12", b"parent: nowhere"), "nowhere"),
            (b"\xff\xfe", "UTF-8"),
            (b"x" * (drafts.LARGEST_FILE + 1), "64"),
        ],
    )
    def test_that_is_unsound_is_refused_with_its_line(
        self, one: User, content: bytes, words: str
    ) -> None:
        with pytest.raises(drafts.BadDocumentError) as refused:
            upload(one, content)

        assert words in refused.value.sentence

    @pytest.mark.parametrize("column", ["content", "examples"])
    def test_cannot_be_changed_in_the_database(self, one: User, column: str) -> None:
        draft = upload(one)

        with pytest.raises(DatabaseError), transaction.atomic():
            StoredDocument.objects.filter(pk=draft.pk).update(**{column: b"else"})

    def test_whose_summary_names_other_numbers_needs_a_word_of_the_approver(
        self, one: User, another: User
    ) -> None:
        draft = upload(one, MISLEADING)

        with pytest.raises(drafts.WarningsError):
            drafts.approve(draft=draft, at=AT, by=another)
        drafts.approve(draft=draft, at=AT, by=another, despite_warnings=True)

        draft.refresh_from_db()
        assert draft.approved_by == another

    def test_brings_worked_examples_that_are_run(self, one: User, another: User) -> None:
        draft = upload(one, examples=EXAMPLES)
        [seen] = drafts.preview_of(draft).examples
        drafts.approve(draft=draft, at=AT, by=another)
        [run] = services.run_examples(draft.document)

        for result in (seen, run):
            assert not result.disagreements
            assert result.answer["required_tests"] == ["2022-12-21", "2022-12-22"]

    @pytest.mark.parametrize(
        ("examples", "words"),
        [
            (EXAMPLES.replace(b'"2022-12-22"]', b'"2022-12-23"]'), "第1行：required_tests应为"),
            (EXAMPLES.replace(b"policy: demo-city", b"policy: other"), "没有问到"),
            (EXAMPLES.replace(b"expect:", b"expects:"), "第1行：算例须有"),
            (EXAMPLES.replace(b"ask: measure", b"ask: mesure"), "第1行："),
            (b"a: 1", "列表"),
            (b"- &a {b: 1}\n" + b"- {<<: *a}\n" * 3_000, "第2行："),
            (b"\xff\xfe", "UTF-8"),
            (b"# " * LONGEST_EXAMPLES, "256"),
        ],
    )
    def test_with_unsound_examples_is_refused_with_the_line(
        self, one: User, examples: bytes, words: str
    ) -> None:
        with pytest.raises(drafts.BadExamplesError) as refused:
            upload(one, examples=examples)

        assert words in refused.value.sentence


class TestThePages:
    def test_take_a_file_from_one_administrator_and_the_approval_of_another(
        self, client: Client, one: User, another: User
    ) -> None:
        client.force_login(one)
        uploaded = client.post(
            reverse("draft_list"), {"file": SimpleUploadedFile("notice.yaml", NOTICE)}, follow=True
        )
        assert "演示市通告" in uploaded.content.decode()
        draft = StoredDocument.objects.get()

        client.force_login(another)
        approved = client.post(
            reverse("draft_settle", args=[draft.pk]), {"decision": "approve"}, follow=True
        )

        assert approved.request["PATH_INFO"] == reverse("document_detail", args=[draft.document])
        assert client.get(reverse("document_file", args=[draft.document])).content == NOTICE

    def test_show_who_approves_what_will_decide_and_not_only_what_its_author_says(
        self, client: Client, one: User, another: User
    ) -> None:
        draft = upload(one, MISLEADING)
        client.force_login(another)

        page = client.get(reverse("draft_detail", args=[draft.pk])).content.decode()

        for said in (
            "市外来人凭四十八小时核酸证明，居家三天。",
            "12小时内核酸阴性证明",
            "第1、20、40天核酸",
            "概要写的是48小时、3天，取值是1天、20天、40天、12小时",
            "没有有效证明的做落地检",
            "没有随附算例",
            "居家隔离40天",  # of somebody on whom the system tries it
            reverse("draft_file", args=[draft.pk]),
        ):
            assert said in page
        assert '<li id="file-15"><code>      - {setting: home, days: 40' in page
        file = client.get(reverse("draft_file", args=[draft.pk]))
        assert file.content == MISLEADING

    def test_say_why_a_draft_can_no_longer_be_approved(
        self, client: Client, one: User, another: User, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        draft = upload(one)
        known = shipped().documents
        left = {name: known[name] for name in ("cn-2022-ninth", "cn-2022-101", "cn-2022-113")}
        monkeypatch.setattr(services, "library", lambda: Library(left))
        client.force_login(another)

        page = client.get(reverse("draft_detail", args=[draft.pk]))

        assert page.status_code == 200
        assert "fujian-2022-12" in page.content.decode()
        assert reverse("draft_file", args=[draft.pk]) in page.content.decode()

    def test_approve_such_a_file_only_by_who_confirms_to_have_compared_it(
        self, client: Client, one: User, another: User
    ) -> None:
        draft = upload(one, MISLEADING)
        client.force_login(another)
        settle = reverse("draft_settle", args=[draft.pk])

        refused = client.post(settle, {"decision": "approve"}, follow=True)
        assert "数字不一致" in refused.content.decode()
        assert StoredDocument.objects.waiting().exists()
        client.post(settle, {"decision": "approve", "despite_warnings": "on"})

        assert not StoredDocument.objects.waiting().exists()

    def test_mark_what_a_new_edition_changes(
        self, client: Client, one: User, another: User
    ) -> None:
        drafts.approve(draft=upload(one), at=AT, by=another)
        edition = NOTICE.replace(b"demo-city-2022-1", b"demo-city-2023-1")
        edition = edition.replace(b": 2022-12-20", b": 2023-01-05")
        draft = upload(one, edition.replace(b"days: 2, tests: [1, 2]", b"days: 2, tests: [1]"))
        client.force_login(another)

        page = client.get(reverse("draft_detail", args=[draft.pk])).content.decode()

        assert "<mark>第1天核酸</mark>" in page
        assert "上一文件第1条" in page
        assert "第1阶段：居家隔离，2天，第1、2天核酸，不得外出。" in page

    def test_take_worked_examples_beside_the_file(self, client: Client, one: User) -> None:
        client.force_login(one)
        files = {
            "file": SimpleUploadedFile("notice.yaml", NOTICE),
            "examples": SimpleUploadedFile("examples.yaml", EXAMPLES),
        }

        page = client.post(reverse("draft_list"), files, follow=True).content.decode()

        assert "市外来人居家2天" in page
        assert "成立" in page

    def test_say_which_example_does_not_hold(self, client: Client, one: User) -> None:
        client.force_login(one)
        wrong = EXAMPLES.replace(b'"2022-12-22"]', b'"2022-12-23"]')
        files = {
            "file": SimpleUploadedFile("notice.yaml", NOTICE),
            "examples": SimpleUploadedFile("examples.yaml", wrong),
        }

        page = client.post(reverse("draft_list"), files)

        assert page.status_code == 422
        assert "required_tests" in str(page.context["form"].errors["examples"])

    def test_say_the_line_of_a_broken_file(self, client: Client, one: User) -> None:
        client.force_login(one)

        refused = client.post(
            reverse("draft_list"),
            {"file": SimpleUploadedFile("notice.yaml", NOTICE.replace(b"days: 2", b"days: two"))},
        )

        assert refused.status_code == 422
        assert "15" in str(refused.context["form"].errors["file"])

    @pytest.mark.parametrize("role", [Role.GRID_STAFF, Role.SUPERVISOR, Role.AUDITOR])
    def test_are_closed_to_others(self, client: Client, role: Role) -> None:
        client.force_login(factories.make_user(role))

        assert client.get(reverse("draft_list")).status_code == 403
        assert client.get(reverse("activation_list")).status_code == 403

    def test_give_a_shipped_document_back_byte_for_byte(self, client: Client, one: User) -> None:
        client.force_login(one)

        file = client.get(reverse("document_file", args=["cn-2022-113"])).content

        assert file == (DOCUMENTS / "cn-2022-113.yaml").read_bytes()

    def test_put_a_document_in_force_by_two_people(
        self, client: Client, one: User, another: User
    ) -> None:
        grid = factories.make_grid()
        city = Area.objects.get(code=grid.code[:4] + "00")
        for user in (one, another):
            user.areas.add(city)
        client.force_login(one)
        client.post(
            reverse("activation_new"),
            {
                "document": "fujian-2022-12",
                "area": city.pk,
                "effective_from": "2022-12-08T00:00",
                "reason": "省里已经执行",
            },
        )
        activation = city.activations.get()
        approve = reverse("activation_approve", args=[activation.pk])

        client.post(approve)
        assert services.in_force(area=grid, at=AT) is None
        client.force_login(another)
        client.post(approve)
        # Approved at the real present, so it holds from then on.
        activation.refresh_from_db()
        law = services.in_force(area=grid, at=activation.approved_at)

        assert law is not None
        assert law.id == "fujian-2022-12"
