"""Any question of the contract as a form, its answer in words; the address holds the question."""

from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.timezone import localtime
from django.views.decorators.http import require_GET

from accounts.access import member
from accounts.staff.models import User
from common import clock
from policy import services, words
from policy.engine.errors import BadQuestionError
from policy.engine.questions.contract import MeasureQuestion, SwitchQuestion, read_question
from policy.questions import answers, calendar_picture
from policy.questions.forms import KINDS, QuestionForm


@require_GET
def calculator(request: HttpRequest) -> HttpResponse:
    """Answer a question; a form of another kind for each."""
    kind = request.GET.get("ask", "measure")
    if kind == "compare":
        return redirect("comparison")
    if kind not in KINDS:
        return redirect("calculator")
    if "" in request.GET.values():
        return redirect(f"{reverse('calculator')}?{_without_empty(request.GET).urlencode()}")
    asked = len(request.GET) > ("ask" in request.GET)
    form = (
        QuestionForm(kind, request.GET)
        if asked
        else QuestionForm(kind, initial=_start(member(request), kind))
    )
    context = {
        "form": form,
        "kind": kind,
        "kinds": [(name, words.QUESTIONS[name]) for name in (*KINDS, "compare")],
        "answer": _answer(form) if asked and form.is_valid() else None,
    }
    return render(request, "policy/calculator.html", context)


def _without_empty(asked: QueryDict) -> QueryDict:
    """Return only what was filled in, so that the address can be passed on."""
    short = QueryDict(mutable=True)
    for name, values in asked.lists():
        if kept := [value for value in values if value]:
            short.setlist(name, kept)
    return short


def _start(user: User, kind: str) -> dict[str, str]:
    """Return the initial values of a form: the law of the user's place, today and now."""
    at = clock.now()
    area = user.areas.first()
    law = services.in_force(area=area, at=at) if area else None
    today, now = f"{clock.day_of(at):%F}", f"{localtime(at):%FT%H:%M}"
    return {"policy": law.id if law else "cn-2022-113", "day": today, "at": now}


def _answer(form: QuestionForm) -> dict[str, Any] | None:
    """Return the answer in words, None for a question that the engine did not understand."""
    library = services.library()
    try:
        question = read_question(form.question(), library)
        answer = question.answer(library)
    except BadQuestionError as refused:
        form.refuse(refused)
        return None
    except OverflowError:
        form.add_error(None, answers.BEYOND)
        return None
    calendar = today = None
    if isinstance(question, MeasureQuestion | SwitchQuestion):
        calendar, today = question.calendar(library), question.day
    return {
        "headline": answers.headline(form.kind, answer),
        "measure": answer["measure"],
        "lines": answers.lines(answer),
        "because": [words.reason(text) for text in answer["because"]],
        "calendar": calendar,
        "weeks": calendar_picture.weeks(calendar, today) if calendar and today else [],
    }
