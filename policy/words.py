"""What the law's terms are called on pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from policy.services import library

if TYPE_CHECKING:
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
    "outings": _("Outings"),
    "clinics": _("Fever clinics"),
    "checkpoints": _("Checkpoints"),
}


def say(text: Text | None) -> str:
    """Return a sentence of the law's in the reader's language, "" for none."""
    if text is None:
        return ""
    return text.en if (get_language() or "").startswith("en") else text.zh


def document_title(document: str) -> str:
    """Return a document's title and number in the reader's language."""
    known = library().documents.get(document)
    if known is None:
        return document
    return f"{say(known.title)} {say(known.number)}".strip()
