"""What the audit says of each event of a case: whole phrases, which pages translate."""

from django.utils.translation import gettext_noop

from quarantine.models import Event

DID: dict[str, str] = {
    Event.Kind.OPENED: gettext_noop("opened a case"),
    Event.Kind.TEST_MISSED: gettext_noop("recorded a missed test"),
    Event.Kind.HOME_CONDITIONS: gettext_noop("recorded home conditions"),
    Event.Kind.CHOSE_CENTRAL: gettext_noop("recorded a wish for central isolation"),
    Event.Kind.MOVED: gettext_noop("moved a case to another setting"),
    Event.Kind.GRID: gettext_noop("moved a case to another grid"),
    Event.Kind.OUTING_ASKED: gettext_noop("asked for an outing"),
    Event.Kind.OUTING_APPROVED: gettext_noop("approved an outing"),
    Event.Kind.OUTING_REFUSED: gettext_noop("refused an outing"),
    Event.Kind.CHECK: gettext_noop("recorded a daily check"),
    Event.Kind.CLINICAL: gettext_noop("recorded a clinical state"),
    Event.Kind.POSITIVE: gettext_noop("recorded a positive result"),
    Event.Kind.CORRECTED: gettext_noop("corrected a result"),
    Event.Kind.REFERRED: gettext_noop("passed a case to medical care"),
    Event.Kind.EXCEPTION: gettext_noop("made an exception"),
    Event.Kind.RELEASED: gettext_noop("released a case"),
    Event.Kind.CLOSED: gettext_noop("closed a case"),
    Event.Kind.NOTE: gettext_noop("wrote a note"),
}
TOOK_BACK: dict[str, str] = {
    Event.Kind.OPENED: gettext_noop("took the opening of a case back"),
    Event.Kind.TEST_MISSED: gettext_noop("took a missed test back"),
    Event.Kind.HOME_CONDITIONS: gettext_noop("took home conditions back"),
    Event.Kind.CHOSE_CENTRAL: gettext_noop("took a wish for central isolation back"),
    Event.Kind.MOVED: gettext_noop("took a move to another setting back"),
    Event.Kind.GRID: gettext_noop("took a move to another grid back"),
    Event.Kind.OUTING_ASKED: gettext_noop("took the request for an outing back"),
    Event.Kind.OUTING_APPROVED: gettext_noop("took the approval of an outing back"),
    Event.Kind.OUTING_REFUSED: gettext_noop("took the refusal of an outing back"),
    Event.Kind.CHECK: gettext_noop("took a daily check back"),
    Event.Kind.CLINICAL: gettext_noop("took a clinical state back"),
    Event.Kind.POSITIVE: gettext_noop("took a positive result back"),
    Event.Kind.CORRECTED: gettext_noop("took the correction of a result back"),
    Event.Kind.REFERRED: gettext_noop("took a passing to medical care back"),
    Event.Kind.EXCEPTION: gettext_noop("took an exception back"),
    Event.Kind.RELEASED: gettext_noop("took a release back"),
    Event.Kind.CLOSED: gettext_noop("took the closing of a case back"),
    Event.Kind.NOTE: gettext_noop("took a note back"),
}
