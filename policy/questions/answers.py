"""The engine's answers in words."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, NamedTuple

from django.utils.formats import date_format
from django.utils.translation import gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from policy import words

Answer = Mapping[str, Any]
BEYOND = _("A value of the question is beyond any sensible size.")


class Headline(NamedTuple):
    """The answer in short, with its tone: allowed ("yes"), refused ("no") or neither."""

    text: str
    tone: str


class AnswerLine(NamedTuple):
    """One value of an answer."""

    label: str
    value: str


def headline(kind: str, answer: Answer) -> Headline:
    """Return the answer in one line."""
    return _HEADLINES[kind](answer)


def lines(answer: Answer) -> list[AnswerLine]:
    """Return what else an answer holds, without what is empty."""
    return [
        AnswerLine(str(label), shown)
        for key, (label, show) in _LINES.items()
        if key in answer and (shown := show(answer[key]))
    ]


def _joined(parts: list[str]) -> str:
    return pgettext("joins names", ", ").join(parts)


def _measure(answer: Answer) -> Headline:
    if answer["refer"]:
        return Headline(gettext("Passes to medical care"), "no")
    must = [stage for stage in answer["stages"] if stage["force"] == "must"]
    if must:
        parts = [
            ngettext("%(setting)s, %(days)d day", "%(setting)s, %(days)d days", days)
            % {"setting": words.SETTINGS[stage["setting"]], "days": days}
            for stage in must
            for days in [_length(stage)]
        ]
        return Headline(pgettext("joins stages of a measure", " + ").join(parts), "no")
    if count := len(answer["required_tests"]):
        return Headline(ngettext("%d test, free to go", "%d tests, free to go", count) % count, "")
    if answer["stages"] or answer["advised_tests"]:
        return Headline(gettext("Advice only"), "yes")
    return Headline(gettext("No measure"), "yes")


def _length(stage: Mapping[str, str]) -> int:
    first, last = date.fromisoformat(stage["first_day"]), date.fromisoformat(stage["last_day"])
    return (last - first).days + 1


def _yes_no(yes: Any, no: Any, key: str) -> Callable[[Answer], Headline]:
    return lambda answer: Headline(str(yes), "yes") if answer[key] else Headline(str(no), "no")


def _screening(answer: Answer) -> Headline:
    if answer["overdue"]:
        return Headline(gettext("A test is overdue"), "no")
    if answer["frequency"]:
        return Headline(str(words.FREQUENCIES[answer["frequency"]]), "")
    return Headline(gettext("No regular testing"), "yes")


def _gathering(answer: Answer) -> Headline:
    if answer["advised_against"]:
        return Headline(gettext("Advised against"), "no")
    if answer["duties"]:
        return Headline(gettext("May be held, with duties"), "")
    return Headline(gettext("Nothing is asked"), "yes")


def _registration(answer: Answer) -> Headline:
    if answer["measure"] is None:
        return Headline(gettext("No report is asked for"), "yes")
    return _yes_no(_("Reported in time"), _("Reported too late"), "on_time")(answer)


def _whitelist(answer: Answer) -> Headline:
    if not answer["listed"]:
        return Headline(gettext("Not on the white list"), "")
    return _yes_no(
        _("On the white list, may work"), _("On the white list, no work until tested"), "may_work"
    )(answer)


def _registry(answer: Answer) -> Headline:
    listed = answer["listed"]
    return Headline(gettext("On the list") if listed else gettext("On none of the lists"), "")


_HEADLINES: dict[str, Callable[[Answer], Headline]] = {
    "measure": _measure,
    "switch": _measure,
    "entry": _yes_no(_("May come in"), _("May not come in"), "allowed"),
    "screening": _screening,
    "zone": _yes_no(_("May be drawn"), _("May not be drawn so large"), "level_allowed"),
    "gathering": _gathering,
    "freight": _yes_no(_("May come in"), _("May not come in"), "may_enter"),
    "registration": _registration,
    "registry": _registry,
    "whitelist": _whitelist,
}


def _day(value: str | None) -> str:
    return date_format(date.fromisoformat(value), "Y-m-d") if value else ""


def _days(values: list[str]) -> str:
    return _joined([_day(value) for value in values])


def _hours(value: int | None) -> str:
    return ngettext("%d hour", "%d hours", value) % value if value else ""


def _yes(value: bool) -> str:
    return gettext("Yes") if value else ""


def _translator(*tables: Mapping[str, Any]) -> Callable[[Any], str]:
    def named(value: str) -> str:
        return next((str(table[value]) for table in tables if value in table), value)

    def show(value: Any) -> str:
        values = value if isinstance(value, list) else [value] if value else []
        return _joined([named(item) for item in values])

    return show


def _stages(stages: list[Mapping[str, Any]]) -> str:
    parts = []
    for stage in stages:
        name = str(words.SETTINGS[stage["setting"]])
        if stage["force"] == "advise":
            name = gettext("%(setting)s (advised)") % {"setting": name}
        days = {"from": _day(stage["first_day"]), "until": _day(stage["last_day"])}
        parts.append(f"{name} {gettext('%(from)s to %(until)s') % days}")
    return _joined(parts)


_LINES: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "stages": (_("Stages"), _stages),
    "required_tests": (_("Tests"), _days),
    "advised_tests": (_("Tests advised"), _days),
    "cancelled_tests": (_("No longer required"), _days),
    "landing_test": (_("Test on arrival"), _yes),
    "proof_hours": (_("Negative proof within"), _hours),
    "earliest_release": (_("Release at the earliest"), _day),
    "movement": (_("Going out"), _translator(words.MOVEMENTS)),
    "coded": (_("Code assigned"), _yes),
    "door_sensor": (_("Door sensor"), _yes),
    "local_decision": (_("The place may decide"), _yes),
    "checks": (_("Checked"), _translator(words.CHECKS)),
    "frequency": (_("How often"), _translator(words.FREQUENCIES)),
    "due": (_("Due this week"), _days),
    "next": (_("Next test"), _day),
    "lift_day": (_("Lifted on"), _day),
    "still_controlled": (
        _("Still controlled"),
        lambda doors: _joined([gettext("Household %s") % door for door in doors]),
    ),
    "zone_stays": (_("The whole area stays"), _yes),
    "duties": (_("Duties"), _translator(words.GATHERING_DUTIES, words.WHITELIST_DUTIES)),
    "seal": (_("Sealed"), _yes),
    "deadline": (_("At the latest on"), _day),
    "categories": (_("Listed as"), _translator(words.CATEGORIES)),
    "vaccination_target": (_("To encourage to vaccinate"), _yes),
}
