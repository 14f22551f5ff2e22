"""Words, citations and masks for templates of cases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import template
from django.db.models import F
from django.urls import reverse
from django.utils.html import conditional_escape, format_html
from django.utils.safestring import SafeString

from common import places
from policy import words
from quarantine.cases.standing import STRICTEST_FIRST
from quarantine.cases.words import began_by, measure_of
from quarantine.models import Case
from quarantine.todo.models import Todo
from quarantine.todo.next_step import brief, cause_text
from residents.register import masking
from testing.models import Sample

if TYPE_CHECKING:
    from collections.abc import Mapping

    from django.contrib.messages.storage.base import Message

    from residents.register.models import Resident

register = template.Library()

register.filter("mask_name", masking.mask_name)
register.filter("mask_phone", masking.mask_phone)
register.filter("place", places.name_of)
register.filter("measure", measure_of)
register.filter("began_by", began_by)
register.filter("document", words.document_title)
register.filter("short_day", words.short_day)
register.filter("named_moment", words.named_moment)
register.filter("say", words.say)
register.filter("reason", words.reason)


@register.filter
def setting(value: str) -> str:
    """Return what a setting is called."""
    return str(words.SETTINGS.get(value, ""))


@register.filter
def movement(value: str) -> str:
    """Return how far somebody may go out."""
    return str(words.MOVEMENTS.get(value, ""))


@register.filter
def subject(value: str) -> str:
    """Return what a subject of the law is called."""
    return str(words.SUBJECTS.get(value, value))


@register.filter
def of_person(marks: Mapping[int, list[Todo]], resident: int) -> list[Todo]:
    """Return what is to be done about a person, of `quarantine.todo.showing.marks_of`."""
    return marks.get(resident, []) if marks else []


@register.filter
def todo_kind(kind: str) -> str:
    """Return what a kind of to-do is called."""
    return str(Todo.Kind(kind).label)


@register.filter
def asks(todo: Todo) -> str:
    """Return in one sentence what a to-do asks."""
    return brief(todo)


@register.filter
def cause(todo: Todo) -> str:
    """Return what caused a to-do."""
    return cause_text(todo)


@register.simple_tag
def clause_of(citation: Any, *, short: bool = False) -> str:
    """Return a clause with its document's title and number; `short`: the number alone."""
    return words.clause_of(citation.document, citation.clause, short=short)


@register.simple_tag(takes_context=True)
def cases_of(context: dict[str, Any], resident: Resident) -> list[Case]:
    """Return the cases of somebody, what holds them first, then what has ended or never was."""
    cases = Case.objects.visible_to(context["user"]).filter(resident=resident)
    cases = cases.select_related("plan", "arrival", "positive__sample", "index_case__resident")
    return list(cases.order_by(F("closed_on").desc(nulls_first=True), *STRICTEST_FIRST))


@register.simple_tag
def awaited_samples(resident: Resident) -> list[Sample]:
    """Return the samples of somebody whose result is awaited, the oldest first."""
    return list(Sample.objects.filter(resident=resident).awaited().order_by("day"))


@register.filter
def undo_url(message: Message) -> str:
    """Return the address at which what `message` tells is taken back, "" for none."""
    tags = message.extra_tags or ""
    return next((tag[5:] for tag in tags.split() if tag.startswith("undo:")), "")


@register.simple_tag(takes_context=True)
def one_tap(
    context: dict[str, Any],
    case: Case,
    act: str,
    text: str,
    *,
    main: bool = False,
    **fields: object,
) -> SafeString:
    """
    Return the button that does an act on a case of today, with what its form would ask.

    A tag rather than an included file: a page of cards has a hundred of them.
    """
    kept = {f"{act}-{name}": value for name, value in fields.items()}
    hidden = {
        "csrfmiddlewaretoken": context.get("csrf_token", ""),
        "next": reverse("today"),
        f"{act}-version": case.version,
        f"{act}-shown_on": context["card"].shown_on.isoformat(),
        **kept,
    }
    inputs = "".join(
        f'<input type="hidden" name="{name}" value="{conditional_escape(value)}">'
        for name, value in hidden.items()
    )
    return format_html(
        '<form action="{here}" method="post" hx-post="{here}" data-once>{inputs}'
        '<button class="btn {look}">{text}</button></form>',
        here=reverse("case_act", args=[case.key, act]),
        inputs=SafeString(inputs),
        look="btn-primary" if main else "btn-outline-primary",
        text=text,
    )
