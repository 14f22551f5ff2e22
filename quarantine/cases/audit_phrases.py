"""The phrase that the audit keeps for each event of a case; pages translate it."""

from django.utils.translation import gettext_noop

from quarantine.models import Event

DID: dict[str, str] = {
    Event.Kind.OPENED: gettext_noop("opened a case"),
    Event.Kind.TEST_MISSED: gettext_noop("recorded a missed test"),
    Event.Kind.HOME_CONDITIONS: gettext_noop("recorded home conditions"),
    Event.Kind.CHOSE_CENTRAL: gettext_noop("recorded a wish for central isolation"),
    Event.Kind.MOVED: gettext_noop("moved a case to another setting"),
    Event.Kind.GRID: gettext_noop("moved a case to another grid"),
    Event.Kind.OUTING_ASKED: gettext_noop("asked for leave to go out"),
    Event.Kind.OUTING_APPROVED: gettext_noop("approved leave to go out"),
    Event.Kind.OUTING_REFUSED: gettext_noop("refused leave to go out"),
    Event.Kind.CHECK: gettext_noop("recorded a daily check"),
    Event.Kind.CLINICAL: gettext_noop("recorded a clinical class"),
    Event.Kind.POSITIVE: gettext_noop("recorded a positive result"),
    Event.Kind.NO_CONTACT: gettext_noop("recorded that people are no close contacts"),
    Event.Kind.CORRECTED: gettext_noop("put a fact right"),
    Event.Kind.REFERRED: gettext_noop("passed a case to medical care"),
    Event.Kind.EXCEPTION: gettext_noop("made an exception"),
    Event.Kind.RELEASED: gettext_noop("released a case"),
    Event.Kind.CLOSED: gettext_noop("closed a case"),
    Event.Kind.NOTE: gettext_noop("wrote a note"),
}
TOOK_BACK: dict[str, str] = {
    Event.Kind.OPENED: gettext_noop("undid the opening of a case"),
    Event.Kind.TEST_MISSED: gettext_noop("undid a missed test"),
    Event.Kind.HOME_CONDITIONS: gettext_noop("undid home conditions"),
    Event.Kind.CHOSE_CENTRAL: gettext_noop("undid a wish for central isolation"),
    Event.Kind.MOVED: gettext_noop("undid a change of setting"),
    Event.Kind.GRID: gettext_noop("undid a move to another grid"),
    Event.Kind.OUTING_ASKED: gettext_noop("undid the request for leave to go out"),
    Event.Kind.OUTING_APPROVED: gettext_noop("undid the approval of leave to go out"),
    Event.Kind.OUTING_REFUSED: gettext_noop("undid the refusal of leave to go out"),
    Event.Kind.CHECK: gettext_noop("undid a daily check"),
    Event.Kind.CLINICAL: gettext_noop("undid a clinical class"),
    Event.Kind.POSITIVE: gettext_noop("undid a positive result"),
    Event.Kind.NO_CONTACT: gettext_noop("undid that people are no close contacts"),
    Event.Kind.CORRECTED: gettext_noop("undid a correction"),
    Event.Kind.REFERRED: gettext_noop("undid a referral to medical care"),
    Event.Kind.EXCEPTION: gettext_noop("withdrew an exception"),
    Event.Kind.RELEASED: gettext_noop("undid a release"),
    Event.Kind.CLOSED: gettext_noop("undid the closing of a case"),
    Event.Kind.NOTE: gettext_noop("undid a note"),
}
