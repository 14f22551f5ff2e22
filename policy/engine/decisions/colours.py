"""
The colour (green, yellow, red) of people on the key-population lists.

Cangshan 5 names the colours and leaves to others how they follow. So the standard is not part of
a document: whoever answers for the place gives one, and until then a default holds (readings.md,
Registries and whitelist).
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from policy.engine.text import Text

if TYPE_CHECKING:
    from policy.engine.decisions.people import ListedFacts

Colour = Literal["green", "yellow", "red"]
# Best first; who sorts by colour looks at the last one first.
COLOURS: tuple[Colour, ...] = ("green", "yellow", "red")


@dataclass(frozen=True, slots=True)
class ColourRule:
    """When a colour is given: any one of these is enough. None and False ask nothing."""

    age_at_least: int | None = None
    diseases_at_least: int | None = None
    unstable: bool = False
    unvaccinated: bool = False

    def reasons(self, person: "ListedFacts") -> tuple[Text, ...]:
        """Return the conditions that hold for a person, in words."""
        age, diseases = self.age_at_least, self.diseases_at_least
        reasons = []
        if age is not None and person.age >= age:
            reasons.append(Text(f"{age}岁及以上", f"{age} years or older"))
        if diseases is not None and len(person.conditions) >= diseases:
            reasons.append(Text(f"患{diseases}种及以上疾病", f"{diseases} diseases or more"))
        if self.unstable and not person.stable:
            reasons.append(Text("病情不稳定", "not stable"))
        if self.unvaccinated and person.vaccination != "full":
            reasons.append(Text("未完成全程接种", "not fully vaccinated"))
        return tuple(reasons)


@dataclass(frozen=True, slots=True)
class Standard:
    """Red goes before yellow; everybody else who is listed is green."""

    red: ColourRule
    yellow: ColourRule
    default: bool = False


DEFAULT = Standard(
    red=ColourRule(age_at_least=80, diseases_at_least=3, unstable=True),
    yellow=ColourRule(diseases_at_least=2, unvaccinated=True),
    default=True,
)


def mark(person: "ListedFacts", standard: Standard) -> tuple[Colour, Text]:
    """Return a person's colour under a standard, and the reason as a sentence."""
    marked: Colour = "green"
    why: tuple[Text, ...] = ()
    for colour, condition in (("red", standard.red), ("yellow", standard.yellow)):
        if why := condition.reasons(person):
            marked = "red" if colour == "red" else "yellow"
            break
    zh = {"green": "绿", "yellow": "黄", "red": "红"}[marked]
    whose = Text("默认标准", "the default standard") if standard.default else _LOCAL
    because_zh = "、".join(text.zh for text in why) or "无其他条件"
    because_en = ", ".join(text.en for text in why) or "nothing else holds"
    return marked, Text(
        f"{zh}色标识：{because_zh}（{whose.zh}）。", f"Marked {marked}: {because_en} ({whose.en})."
    )


_LOCAL = Text("当地标准", "the place's own standard")
