import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.staff.models import Role
from policy import services, worked_examples
from policy.engine.documents import schema
from policy.engine.questions import ask
from policy.questions.forms import KINDS, QuestionForm
from tests import factories

pytestmark = pytest.mark.django_db

CLOSE_CONTACT = {
    "ask": "measure",
    "policy": "cn-2022-113",
    "day": "2022-12-08",
    "person-exposure": "close_contact",
}


@pytest.fixture
def reader(client: Client) -> Client:
    client.force_login(factories.make_user(Role.GRID_STAFF))
    return client


def calculate(reader: Client, **asked: str) -> Any:
    return reader.get(reverse("calculator"), asked, headers={"accept-language": "en"})


def typed(question: dict[str, Any]) -> QueryDict:
    """Return what somebody types to ask a question: its values by their paths."""
    fields = QueryDict(mutable=True)
    for path, value in values_of("", question):
        if path.endswith("conditions"):
            fields.setlist(path, value)
        elif isinstance(value, list):
            fields[path] = " ".join(value)
        elif value is not None or path.endswith("health_code"):
            fields[path] = value if isinstance(value, str) else json.dumps(value)
    return fields


def values_of(path: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        value = dict(enumerate(value))
    if not isinstance(value, dict):
        yield path, value
        return
    for key, inner in value.items():
        yield from values_of(f"{path}-{key}".strip("-"), inner)


def questions() -> list[dict[str, Any]]:
    """Return the worked examples that the forms have fields for."""
    found = [
        with_letters(example.question)
        for file in sorted(Path(worked_examples.FOLDER).glob("*.yaml"))
        for example in worked_examples.of(file.stem)
        if example.question["ask"] in KINDS
    ]
    return [q for q in found if set(typed(q)) <= {"ask", *QuestionForm(q["ask"]).fields}]


def with_letters(question: dict[str, Any]) -> dict[str, Any]:
    """Return a question whose doors are called A, B and C, as in the form."""
    positives = question.get("positives", [])
    doors = list(dict.fromkeys(positive["household"] for positive in positives))
    letters = dict(zip(doors, "ABC", strict=False))
    named = [{**positive, "household": letters[positive["household"]]} for positive in positives]
    return {**question, "positives": named} if named else question


class TestTheCalculator:
    @pytest.mark.parametrize("kind", KINDS)
    def test_offers_a_form_for_each_question(self, reader: Client, kind: str) -> None:
        response = calculate(reader, ask=kind)

        assert response.status_code == 200
        assert not response.context["form"].errors

    def test_answers_in_words_with_the_clause(self, reader: Client) -> None:
        response = calculate(reader, **CLOSE_CONTACT)

        page = response.content.decode()
        assert response.context["answer"]["headline"].text == "Home isolation, 5 days"
        assert reverse("document_detail", args=["cn-2022-113"]) + "#clause-3" in page

    def test_draws_the_calendar(self, reader: Client) -> None:
        answer = calculate(reader, **CLOSE_CONTACT).context["answer"]

        assert [cell.day.day.day for cell in answer["weeks"] if cell and cell.is_release] == [12]

    def test_gives_the_reasons_in_the_readers_language(self, reader: Client) -> None:
        because = calculate(reader, **CLOSE_CONTACT).context["answer"]["because"]

        assert all(sentence.isascii() or "号" in sentence for sentence in because)

    def test_finds_the_law_by_area_and_day(self, reader: Client) -> None:
        asked = {**CLOSE_CONTACT, "policy": "", "area": "仓山区", "day": "2022-12-20"}

        response = reader.get(reverse("calculator"), asked, follow=True)

        assert response.context["answer"]["measure"]["policy"] == "cangshan-2022-324"

    def test_puts_the_engines_sentence_at_the_field(self, reader: Client) -> None:
        form = calculate(reader, **{**CLOSE_CONTACT, "day": "2022-02-30"}).context["form"]

        assert form.errors["day"] == [
            "\"and day\": '2022-02-30' is not a day of the form YYYY-MM-DD."
        ]
        assert form["person-exposure"].value() == "close_contact"

    def test_names_the_row_in_which_something_is_missing(self, reader: Client) -> None:
        form = calculate(reader, **CLOSE_CONTACT, **{"person-stays-1-risk": "high"}).context[
            "form"
        ]

        assert list(form.errors) == ["person-stays-1-last_day"]

    def test_keeps_its_address_short(self, reader: Client) -> None:
        response = calculate(reader, **CLOSE_CONTACT, **{"person-start": "", "area": ""})

        assert response.status_code == 302
        assert "person-start" not in response.url
        assert "person-exposure=close_contact" in response.url

    def test_leads_a_comparison_to_its_own_page(self, reader: Client) -> None:
        assert calculate(reader, ask="compare").url == reverse("comparison")

    def test_asks_few_queries(
        self, reader: Client, django_assert_max_num_queries: pytest.FixtureRequest
    ) -> None:
        with django_assert_max_num_queries(12):  # type: ignore[operator]
            calculate(reader, **CLOSE_CONTACT)


class TestAQuestionForm:
    def test_has_fields_for_most_worked_examples(self) -> None:
        assert len(questions()) > 200
        assert {question["ask"] for question in questions()} == set(KINDS)

    def test_says_at_once_what_the_contract_needs(self) -> None:
        needed = {name for name, field in QuestionForm("entry").fields.items() if field.required}

        assert needed == {"venue", "at"}
        assert set(QuestionForm("entry", {"ask": "entry"}).errors) == needed

    def test_offers_the_words_of_the_contract(self) -> None:
        choices = {
            name: set(dict(getattr(field, "choices", ())))
            for name, field in QuestionForm("entry").fields.items()
        }

        assert choices["venue"] == {"", *schema.words_of(schema.Venue)}
        assert choices["visitor-health_code"] == {"", "green", "yellow", "red", "null"}

    @pytest.mark.parametrize(("ct", "taken"), [("50", True), ("50.1", False)])
    def test_takes_the_same_ct_as_a_laboratory(self, ct: str, taken: bool) -> None:
        asked = {**CLOSE_CONTACT, "person-tests-0-day": "2022-12-08", "person-tests-0-ct": ct}

        assert ("person-tests-0-ct" not in QuestionForm("measure", asked).errors) == taken

    def test_asks_what_was_typed(self) -> None:
        for question in questions():
            form = QuestionForm(question["ask"], typed(question))

            assert form.is_valid(), (question, form.errors)
            assert ask.answer(form.question()) == ask.answer(question), question

    def test_answers_each_worked_example_on_a_page(self, reader: Client) -> None:
        services.library()
        for question in questions()[::25]:
            fields = typed(question)
            response = reader.get(f"{reverse('calculator')}?{fields.urlencode()}", follow=True)

            assert response.context["answer"] is not None, question
