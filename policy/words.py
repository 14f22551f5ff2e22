"""What the law's terms are called on pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import TYPE_CHECKING

from django.conf import settings
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, ngettext, pgettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common import places
from policy.engine.decisions.people import ListedFacts
from policy.services import library

if TYPE_CHECKING:
    from policy.engine.comparison.compare import Class
    from policy.engine.decisions.facts import Person, Served, Stay
    from policy.engine.text import Text

SETTINGS = {
    "central": _("Central isolation"),
    "home": _("Home isolation"),
    "monitoring": _("Health monitoring at home"),
}
MOVEMENTS = {
    "forbidden": _("May not go out"),
    "stay_indoors": _("Stays indoors"),
    "non_essential_no": _("Goes out only where necessary"),
    "low_contact": _("Keeps away from gatherings and public places"),
    "free": _("May go out"),
}
FORCES = {"must": _("Must"), "advise": _("Advice")}
SUBJECTS = {
    "infected": _("Infected people"),
    "close_contacts": _("Close contacts"),
    "high_risk_stay": _("Stay in a high-risk area"),
    "inbound": _("Arrivals from abroad"),
    "freight": _("Truck crews"),
    "listed_areas": _("Stay in a listed area"),
    "low_risk_stay": _("Stay in a low-risk area"),
    "closed_loop_posts": _("End of a closed-loop post"),
    "arrivals": _("Ordinary arrivals"),
    "secondary_contacts": _("Contacts of close contacts"),
    "inbound_results": _("Results of arrivals from abroad"),
    "zones": _("High-risk areas"),
    "entry": _("Checks at a door"),
    "care": _("Access to care"),
    "screening": _("Occupational testing"),
    "gatherings": _("Gatherings"),
    "freight_entry": _("Trucks at a checkpoint"),
    "registration": _("Reporting before arrival"),
    "whitelist": _("Whitelist workers"),
    "registry": _("Key populations"),
    "registry_end": _("Key populations: the list is complete"),
    "vaccination": _("Vaccination"),
    "outings": pgettext_lazy("the rule", "Going out"),
}
DUTIES = {
    "everyone": _("Everybody"),
    "community": _("The community"),
    "employers": _("Employers"),
    "venues": _("Those who run the venues"),
    "medical": _("Medical institutions"),
    "schools": _("Schools"),
    "police": _("The police"),
    "transport": _("Transport authorities"),
    "health_authority": _("Health authorities"),
    "local_government": _("Local government"),
    "national_authorities": _("National authorities"),
}
PAGES = {
    "supplies": _("Supplies"),
    "needs": _("Lists of needs"),
    "hotline": _("Hotline"),
    "vehicles": _("Vehicles"),
    "key_people": _("Key populations"),
    "vaccination": _("Vaccination"),
    "schools": _("Schools"),
    "complaints": _("Complaints"),
    "stranded": _("Stranded people"),
    "stock": _("Stock for three months"),
    "care": _("Care"),
    "isolation_sites": _("Isolation sites"),
    "safety": _("Safety"),
    "information": _("Information"),
    "enterprises": _("Enterprises"),
    "outings": pgettext_lazy("the page", "Going out"),
    "clinics": _("Fever clinics"),
    "checkpoints": _("Checkpoints"),
}


EXPOSURES = {
    "close_contact": _("Close contact"),
    "secondary_contact": _("Contact of a close contact"),
    "infected": _("Infected"),
}
CLINICAL = {
    "asymptomatic": _("No symptoms"),
    "mild": _("Mild"),
    "moderate": _("Moderate"),
    "severe": _("Severe"),
    "critical": _("Critical"),
}
RISKS = {"low": _("low-risk area"), "high": _("high-risk area")}

VERDICTS = {
    "stricter": _("Stricter"),
    "equal": _("Equal"),
    "looser": _("Looser"),
    "silent": _("Not covered"),
}
VENUES = {
    "nursing_home": _("Nursing home"),
    "welfare_institution": _("Welfare institution"),
    "children_welfare": _("Children's home"),
    "prison": _("Prison"),
    "kindergarten": _("Kindergarten"),
    "nursery": _("Nursery"),
    "school": _("School"),
    "university": _("University"),
    "hospital": _("Hospital"),
    "clinic": _("Clinic"),
    "pharmacy": _("Pharmacy"),
    "internet_cafe": _("Internet café"),
    "bar": _("Bar"),
    "chess_room": _("Chess and card room"),
    "ktv": _("Karaoke"),
    "nightclub": _("Night club"),
    "dance_hall": _("Dance hall"),
    "sauna": _("Sauna"),
    "script_club": _("Role-playing club"),
    "cinema": _("Cinema"),
    "theatre": _("Theatre"),
    "museum": _("Museum"),
    "library": _("Library"),
    "scenic_spot": _("Scenic spot"),
    "mall": _("Shopping centre"),
    "supermarket": _("Supermarket"),
    "market": _("Market"),
    "restaurant": _("Restaurant"),
    "hotel": _("Hotel"),
    "office": _("Office"),
    "government_hall": _("Government service hall"),
    "compound": _("Residential compound"),
    "village": _("Village"),
    "construction_site": _("Construction site"),
    "cold_chain": _("Cold chain site"),
    "courier_station": _("Courier station"),
    "bus": _("Bus"),
    "taxi": _("Taxi"),
    "train_station": _("Railway station"),
    "airport": _("Airport"),
    "gym": _("Gym"),
}
ROLES = {
    "visitor": _("Visitor"),
    "patient": _("Patient"),
    "outsider": _("Outsider"),
    "member": _("Member or staff"),
}
CHECKS = {
    "temperature": _("Temperature"),
    "scan": _("Place code scanned"),
    "travel_code": _("Travel code"),
    "health_code": _("Health code"),
    "proof": _("Negative proof"),
    "appointment": _("Appointment"),
}
CODES = {"green": _("Green"), "yellow": _("Yellow"), "red": _("Red")}
# Of listed people; the colours of a health code are called otherwise in Chinese.
MARKS = {
    "green": pgettext_lazy("mark", "Green"),
    "yellow": pgettext_lazy("mark", "Yellow"),
    "red": pgettext_lazy("mark", "Red"),
}
POSTS = {
    "border_contact": _("Contact with people or goods at the border"),
    "isolation_site": _("Isolation site"),
    "fever_clinic": _("Fever clinic"),
    "sea_fisher": _("Sea fisher"),
    "sea_fisher_family": _("Family of a sea fisher"),
    "aquaculture": _("Aquaculture"),
    "aquatic_trader": _("Trade in aquatic products"),
    "fruit_grower": _("Fruit grower"),
    "fruit_buyer": _("Fruit buyer"),
    "courier": _("Courier"),
    "hotel": _("Hotel"),
    "renovation_loading": _("Renovation and loading"),
    "transport": _("Transport"),
    "supermarket": _("Supermarket"),
    "market": _("Market"),
    "enclosed_venue": _("Enclosed venue"),
    "nursing_home": _("Nursing home"),
    "prison": _("Prison"),
    "school": _("School"),
    "port_service": _("Port services"),
    "hospital_other": _("Other hospital staff"),
    "resident": _("Resident"),
}
LEVELS = {
    "household": _("Household"),
    "floor": _("Floor"),
    "unit": _("Unit"),
    "building": _("Building"),
    "compound": _("Residential compound"),
    "street": _("Subdistrict or town"),
    "district": _("District"),
}
RELATIONS = {
    "cohabitant": _("Same household"),
    "close_contact": _("Close contact"),
    "none": pgettext_lazy("no contact", "None"),
}
GATHERINGS = {
    "banquet": _("Banquet"),
    "rural_feast": _("Village feast"),
    "conference": _("Conference"),
    "performance": _("Performance"),
    "exhibition": _("Exhibition"),
    "sports": _("Sports event"),
    "wedding": _("Wedding"),
}
GATHERING_DUTIES = {
    "plan": _("A plan of prevention"),
    "report_community": _("Report to the community"),
    "report_township": _("Report to the township"),
    "venue_code": _("A place code at the entrance"),
    "scan": _("Everybody scans"),
    "proof": _("Everybody shows a negative proof"),
    "approval": _("Approval"),
}
WHITELIST_POSTS = {
    "medical": _("Medical staff"),
    "police": _("Police"),
    "transport_logistics": _("Transport and logistics"),
    "supermarket": _("Supermarket"),
    "supply": _("Supply"),
    "utilities": _("Water, power, gas and heating"),
    "other": _("Another post"),
}
WHITELIST_DUTIES = {
    "protection": _("Protection"),
    "vaccination": _("Vaccination"),
    "health_monitoring": _("Health monitoring"),
    "reduced_contact": _("Fewer contacts"),
    "proof": _("Negative proof"),
}
CONDITIONS = {
    "cardiovascular": _("Cardiovascular disease"),
    "cerebrovascular": _("Cerebrovascular disease"),
    "copd": _("Chronic obstructive lung disease"),
    "diabetes": _("Diabetes"),
    "ckd": _("Chronic kidney disease"),
    "tumour": _("Tumour"),
    "immunodeficiency": _("Immunodeficiency"),
    "hypertension": _("Hypertension"),
    "haemodialysis": _("Haemodialysis"),
}
CATEGORIES = {
    "elderly": _("Elderly people"),
    "living_alone_elder": _("Elderly people living alone"),
    "chronic_disease": _("People with chronic diseases"),
    "pregnant": _("Pregnant women"),
    "child_in_difficulty": _("Children in difficulty"),
    "haemodialysis": _("People on haemodialysis"),
    "disabled": _("Disabled people"),
}
VACCINATIONS = {
    "none": pgettext_lazy("no dose", "None"),
    "partial": _("Partial"),
    "full": _("Full"),
}
QUESTIONS = {
    "measure": _("Measure"),
    "switch": _("Change of document"),
    "entry": _("At the door"),
    "screening": _("Occupational testing"),
    "zone": _("High-risk area"),
    "gathering": _("Gathering"),
    "freight": _("Truck"),
    "registration": _("Reporting before arrival"),
    "registry": _("Key populations"),
    "whitelist": _("White list"),
    "compare": _("Compare two documents"),
}
OUTINGS = {
    "medical": _("Seeing a doctor"),
    "other": _("Another necessary reason"),
    "escorted": _("Escorted vehicle, door to door"),
    "ambulance": _("Ambulance"),
    "own": _("Own vehicle"),
    "on_foot": _("On foot"),
    "n95": _("KN95, N95 or better"),
    "surgical": _("Surgical mask"),
}
FREQUENCIES = {"daily": _("Daily"), "twice_weekly": _("Twice a week")}

_CODE = re.compile(r"(?<!\d)\d{6}(?!\d)")


def say(text: Text | None) -> str:
    """Return a sentence of the law's in the reader's language, "" for none."""
    if text is None:
        return ""
    return text.en if (get_language() or "").startswith("en") else text.zh


def reason(text: Text) -> str:
    """Return a reason of the law's, with the names of areas instead of their codes."""
    return _CODE.sub(lambda code: places.name_of(code[0]), say(text))


def page_addresses() -> dict[str, str]:
    """Return where the pages are that serve a clause, as far as the portal has them."""
    return {page: reverse(name) for page, name in settings.CLAUSE_PAGES.items()}


def short_day(day: date) -> str:
    """Return a day for tables, calendars and charts: 11-14."""
    return f"{day:%m-%d}"


def named_day(day: date) -> str:
    """Return a day for everything else: November 14, 11月14日."""
    return date_format(day, "MONTH_DAY_FORMAT")


def named_moment(moment: datetime) -> str:
    """Return a moment for everything but tables: November 14 08:30, 11月14日 08:30."""
    local = localtime(moment)
    return f"{named_day(local.date())} {local:%H:%M}"


def document_title(document: str, *, short: bool = False) -> str:
    """Return a document's title with its number in the reader's language; `short`: one of them."""
    known = library().documents.get(document)
    if known is None:
        return document
    if known.number and short:
        return pgettext("a document", "%(number)s") % {"number": _short_number(known.number)}
    title = _in_marks(known.title)
    return _with_number(title, say(known.number)) if known.number else title


def clause_of(document: str, clause: object, *, short: bool = False) -> str:
    """Return a clause with its document: 《…》（113号）第3条, `short` 113号文件第3条."""
    known = library().documents.get(document)
    named = document_title(document, short=True)
    if known and known.number and not short:
        named = _with_number(_in_marks(known.title), _short_number(known.number))
    return gettext("%(document)s, clause %(clause)s") % {"document": named, "clause": clause}


def _in_marks(title: Text) -> str:
    """Return a title between the marks of its language; marks within are the single ones."""
    within = say(title).translate(str.maketrans("《》", "〈〉"))
    return pgettext("a title", "%(title)s") % {"title": within}


def _with_number(title: str, number: str) -> str:
    return gettext("%(title)s (%(number)s)") % {"title": title, "number": number}


def _short_number(number: Text) -> str:
    """Return a number without the office and year before it: 113号."""
    text = say(number)
    end = re.search(r"[0-9]+号$", text)
    return end[0] if end else text


def facts_of(person: Person) -> Iterator[tuple[str, str]]:
    """Yield the facts that were used, each a name and a value."""
    if person.exposure:
        yield gettext("Contact"), str(EXPOSURES[person.exposure])
    if person.exposure == "infected" and person.clinical:
        yield gettext("Clinical class"), str(CLINICAL[person.clinical])
    if person.arrived_from:
        yield gettext("Came from"), places.name_of(person.arrived_from)
    if person.spread_at_origin:
        yield gettext("There"), gettext("community spread")
    for stay in person.stays:
        yield gettext("Stay"), _stay(stay)
    yield from _journey_of(person)
    if not person.home_conditions_met:
        yield gettext("Home"), gettext("not fit for isolation")
    if person.chooses_central:
        yield gettext("Wish"), gettext("central isolation")


def _journey_of(person: Person) -> Iterator[tuple[str, str]]:
    if person.inbound:
        served = gettext("from abroad; served %(central)d central and %(home)d home days")
        yield (
            gettext("Entry"),
            served % {"central": person.inbound.central_days, "home": person.inbound.home_days},
        )
    for days in person.served:
        yield gettext("Served"), served_days(days)
    if ended := person.closed_loop_post_ended:
        yield gettext("Closed-loop post"), gettext("ended on %s") % named_day(ended)
    if person.freight_crew:
        yield gettext("Truck"), gettext("closed-loop crew")
    if person.proof and (moment := person.proof.counts_from):
        yield gettext("Negative proof"), gettext("sampled %s") % named_moment(moment)


def served_days(served: Served) -> str:
    """Return days served in a setting: Home isolation, November 18 to November 20."""
    return gettext("%(setting)s, %(first)s to %(last)s") % {
        "setting": SETTINGS[served.setting],
        "first": named_day(served.first_day),
        "last": named_day(served.last_day),
    }


def _stay(stay: Stay) -> str:
    parts = [places.name_of(stay.area) if stay.area else gettext("place not known")]
    if stay.risk:
        parts.append(str(RISKS[stay.risk]))
    parts.append(gettext("until %s") % named_day(stay.last_day))
    if stay.transit:
        parts.append(gettext("in transit only"))
    return pgettext("joins parts of a fact", ", ").join(parts)


def class_named(about: Class) -> str:
    """Return in words one of the classes that the comparison tells apart."""
    if isinstance(about, tuple):
        named = [_part_named(part) for part in about]
    elif isinstance(about, ListedFacts):
        named = _resident_named(about)
    else:
        named = [_with_name(name, value) for name, value in facts_of(about)]
    return pgettext("joins parts of a fact", ", ").join(named) or gettext("Everybody else")


def _with_name(name: str, value: str) -> str:
    return name + pgettext("after a label", ": ") + value


def _part_named(part: object) -> str:
    if isinstance(part, int):
        return ngettext("%d person", "%d people", part) % part
    tables = (VENUES, ROLES, POSTS, GATHERINGS, WHITELIST_POSTS)
    return next((str(table[part]) for table in tables if part in table), str(part))


def _resident_named(resident: ListedFacts) -> list[str]:
    flags = {
        "living_alone": gettext("lives alone"),
        "pregnant": gettext("pregnant"),
        "child_in_difficulty": gettext("child in difficulty"),
        "disabled": gettext("disabled"),
    }
    return [
        ngettext("%d year old", "%d years old", resident.age) % resident.age,
        *(str(CONDITIONS[condition]) for condition in resident.conditions),
        *(name for flag, name in flags.items() if getattr(resident, flag)),
    ]
