"""Who belongs on the key-population lists, and who is on the white list."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from policy.engine.decisions import reasons
from policy.engine.decisions.colours import Colour, Standard, mark
from policy.engine.decisions.doors import proof_is_good
from policy.engine.decisions.facts import Proof
from policy.engine.documents.law import Citation, Law
from policy.engine.documents.schema import (
    Category,
    Condition,
    PeopleGroup,
    RegistryEnd,
    RegistryProvision,
    VaccinationProvision,
    WhitelistDuty,
    WhitelistPost,
    WhitelistProvision,
)
from policy.engine.questions.reading import ONLY_KNOWN_KEYS, Flag, Several, whole_number
from policy.engine.text import Text

Vaccination = Literal["none", "partial", "full"]
Age = Annotated[int, whole_number(150)]


@dataclass(frozen=True, slots=True)
class ListedFacts:
    """The facts of a person that the lists depend on."""

    __pydantic_config__ = ONLY_KNOWN_KEYS

    age: Age
    conditions: Several[Condition] = ()
    living_alone: Flag = False
    pregnant: Flag = False
    child_in_difficulty: Flag = False
    disabled: Flag = False
    stable: Flag = True
    vaccination: Vaccination = "full"


@dataclass(frozen=True, slots=True)
class ListingDecision:
    """
    Whether a person is listed, and in which categories.

    No text says how colours follow, so without a standard there is none. `under` cites the clause
    of each category.
    """

    listed: bool
    categories: tuple[Category, ...]
    colour: Colour | None
    vaccination_target: bool
    measure: Citation | None
    because: tuple[Text, ...]
    under: tuple[tuple[Category, Citation], ...] = ()
    vaccination: Citation | None = None


def belongs(group: PeopleGroup, person: ListedFacts) -> bool:
    """Say whether all conditions of a group hold."""
    if group.age_at_least is not None and person.age < group.age_at_least:
        return False
    if group.any_condition is not None and not set(group.any_condition) & set(person.conditions):
        return False
    return all(
        expected is None or getattr(person, name) == expected
        for name, expected in (
            ("living_alone", group.living_alone),
            ("pregnant", group.pregnant),
            ("child_in_difficulty", group.child_in_difficulty),
            ("disabled", group.disabled),
        )
    )


def registry(law: Law) -> Iterator[tuple[Citation, RegistryProvision]]:
    """Return who is listed under a law, most local first; a document may close its parents'."""
    for document in law.documents:
        for provision in document.provisions:
            if isinstance(provision, RegistryProvision):
                yield Citation(document.id, provision.clause), provision
        if any(isinstance(provision, RegistryEnd) for provision in document.provisions):
            break


def ages_of(law: Law) -> set[int]:
    """Return the ages from which a law lists somebody or wants them vaccinated."""
    ages = {provision.group.age_at_least for _, provision in registry(law)}
    ages |= {provision.age_at_least for _, provision in law.cited(VaccinationProvision)}
    return {age for age in ages if age is not None}


def colours(law: Law) -> Citation | None:
    """Return the clause that marks listed people with colours, None where none does."""
    return next((cited for cited, provision in registry(law) if provision.colours), None)


def list_person(
    law: Law, person: ListedFacts, standard: Standard | None = None
) -> ListingDecision:
    """
    Return the lists somebody belongs on; a document may close the list to its parents.

    With the `standard` of the place, also the colour, where the clause asks for colours.
    """
    matching = [row for row in registry(law) if belongs(row[1].group, person)]
    vaccination = next(law.cited(VaccinationProvision), None)
    target = (
        vaccination is not None
        and person.age >= vaccination[1].age_at_least
        and person.vaccination != "full"
    )
    measure = matching[0][0] if matching else (vaccination[0] if vaccination and target else None)
    because = [sentence for row in matching for sentence in reasons.cited(law, *row)]
    if vaccination is not None and target:
        because += reasons.cited(law, *vaccination)
    colour: Colour | None = None
    if standard is not None and any(provision.colours for _, provision in matching):
        colour, why = mark(person, standard)
        because.append(why)
    return ListingDecision(
        listed=bool(matching),
        categories=tuple(sorted({provision.category for _, provision in matching})),
        colour=colour,
        vaccination_target=target,
        measure=measure,
        because=tuple(because) or (Text("不在重点人群清单内。", "On none of the lists."),),
        under=tuple((provision.category, cited) for cited, provision in matching),
        vaccination=vaccination[0] if vaccination and target else None,
    )


@dataclass(frozen=True, slots=True)
class WhitelistDecision:
    """Whether a post is on the white list, its holder may work now, and their duties."""

    listed: bool
    may_work: bool
    duties: tuple[WhitelistDuty, ...]
    measure: Citation | None
    because: tuple[Text, ...]
    proof_hours: int | None = None


def proof_rules(law: Law) -> Iterator[tuple[int, tuple[WhitelistPost, ...]]]:
    """Yield in which posts nobody works without a proof, and its hours; the most local governs."""
    settled: set[WhitelistPost] = set()
    for _cited, rule in law.cited(WhitelistProvision):
        posts = tuple(sorted(set(rule.posts) - settled))
        settled |= set(rule.posts)
        if posts and rule.proof_hours is not None:
            yield rule.proof_hours, posts


def whitelist(
    law: Law, post: WhitelistPost, at: datetime, proof: Proof | None = None
) -> WhitelistDecision:
    """Return whether a post is on the white list; others work without its duties."""
    for cited, rule in law.cited(WhitelistProvision):
        if post in rule.posts:
            works = rule.proof_hours is None or proof_is_good(proof, rule.proof_hours, at)
            because = reasons.cited(law, cited, rule)
            if not works:
                late = Text(
                    f"没有有效的{rule.proof_hours}小时核酸阴性证明，做核酸前暂不能上岗。",
                    f"Without a valid proof of {rule.proof_hours} hours there is no work until "
                    "tested.",
                )
                because = (*because, late)
            return WhitelistDecision(
                listed=True,
                may_work=works,
                duties=tuple(sorted(rule.duties)),
                measure=cited,
                because=because,
                proof_hours=rule.proof_hours,
            )
    nothing = Text("此岗位不在白名单内。", "This post is not on the white list.")
    return WhitelistDecision(
        listed=False, may_work=True, duties=(), measure=None, because=(nothing,)
    )
