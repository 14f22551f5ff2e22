"""Who belongs on the key-population lists, and who is on the white list."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from policy.engine import reasons
from policy.engine.doors import proof_is_good
from policy.engine.facts import Proof
from policy.engine.law import Citation, Law
from policy.engine.schema import (
    Category,
    Condition,
    Group,
    RegistryEnd,
    RegistryProvision,
    VaccinationProvision,
    WhitelistDuty,
    WhitelistPost,
    WhitelistProvision,
)
from policy.engine.text import Text

Vaccination = Literal["none", "partial", "full"]
Colour = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Resident:
    """What the lists ask of somebody."""

    age: int
    conditions: tuple[Condition, ...] = ()
    living_alone: bool = False
    pregnant: bool = False
    child_in_difficulty: bool = False
    disabled: bool = False
    stable: bool = True
    vaccination: Vaccination = "full"


@dataclass(frozen=True, slots=True)
class Listing:
    """Whether somebody is listed and under what. No text says how colours follow: None."""

    listed: bool
    categories: tuple[Category, ...]
    colour: Colour | None
    vaccination_target: bool
    measure: Citation | None
    because: tuple[Text, ...]


def belongs(group: Group, person: Resident) -> bool:
    """Say whether all conditions of a group hold."""
    if group.age_at_least is not None and person.age < group.age_at_least:
        return False
    if group.any_condition is not None and not set(group.any_condition) & set(person.conditions):
        return False
    return all(
        wanted is None or getattr(person, name) == wanted
        for name, wanted in (
            ("living_alone", group.living_alone),
            ("pregnant", group.pregnant),
            ("child_in_difficulty", group.child_in_difficulty),
            ("disabled", group.disabled),
        )
    )


def list_person(law: Law, person: Resident) -> Listing:
    """Return the lists somebody belongs on; a document may close the list to its parents."""
    found: list[tuple[Citation, RegistryProvision]] = []
    for document in law.documents:
        found += [
            (Citation(document.id, provision.clause), provision)
            for provision in document.provisions
            if isinstance(provision, RegistryProvision) and belongs(provision.group, person)
        ]
        if any(isinstance(provision, RegistryEnd) for provision in document.provisions):
            break
    vaccination = next(law.cited(VaccinationProvision), None)
    target = (
        vaccination is not None
        and person.age >= vaccination[1].age_at_least
        and person.vaccination != "full"
    )
    measure = found[0][0] if found else (vaccination[0] if vaccination and target else None)
    because = [sentence for row in found for sentence in reasons.cited(law, *row)]
    if vaccination is not None and target:
        because += reasons.cited(law, *vaccination)
    return Listing(
        listed=bool(found),
        categories=tuple(sorted({provision.category for _, provision in found})),
        colour=None,
        vaccination_target=target,
        measure=measure,
        because=tuple(because) or (Text("不在重点人群清单内。", "On none of the lists."),),
    )


@dataclass(frozen=True, slots=True)
class WhiteListing:
    """Whether somebody keeps services running, may go to work now, and what they owe."""

    listed: bool
    may_work: bool
    duties: tuple[WhitelistDuty, ...]
    measure: Citation | None
    because: tuple[Text, ...]


def whitelist(
    law: Law, post: WhitelistPost, at: datetime, proof: Proof | None = None
) -> WhiteListing:
    """Return whether a post is on the white list; others work without its duties."""
    for cited, rule in law.cited(WhitelistProvision):
        if post in rule.posts:
            works = rule.proof_hours is None or proof_is_good(proof, rule.proof_hours, at)
            because = reasons.cited(law, cited, rule)
            if not works:
                late = Text(
                    f"没有有效的{rule.proof_hours}小时核酸阴性证明，检测前不上岗。",
                    f"Without a valid proof of {rule.proof_hours} hours there is no work until "
                    "tested.",
                )
                because = (*because, late)
            return WhiteListing(
                listed=True,
                may_work=works,
                duties=tuple(sorted(rule.duties)),
                measure=cited,
                because=because,
            )
    nothing = Text("此岗位不在白名单内。", "This post is not on the white list.")
    return WhiteListing(listed=False, may_work=True, duties=(), measure=None, because=(nothing,))
