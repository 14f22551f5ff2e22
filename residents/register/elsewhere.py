"""
The one way to learn that somebody is registered in another area.

Whoever enters or changes a number, opens a record or sends a roster may learn it. All that was
learned counts for one limit, whatever the way, and is recorded. Once the limit is reached nothing
is looked up any more outside one's own areas: known or not, the answer is the same and as quick.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.auditing import audit
from accounts.limits import counts
from accounts.staff.models import User
from common.errors import RefusedError

QUESTIONS_A_DAY = 20
LEARNED = gettext_noop("learned that somebody is registered in another area")


class RegisteredElsewhereError(ValidationError):
    """The number belongs to a resident outside the areas of the user."""

    def __init__(self) -> None:
        super().__init__(
            _(
                "A person with this number is registered in an area that is not yours. Open their"
                " record with a reason, or ask your supervisor to have them moved here."
            )
        )


class TooManyQuestionsError(RefusedError):
    """The user has learned of people elsewhere as often as one may in a day."""

    def __init__(self) -> None:
        super().__init__(
            _("You have looked into other areas too often today. Ask your supervisor.")
        )


@dataclass
class Question:
    """A question about people of all areas: whether it may be put, and what came of it."""

    allowed: bool
    learned: bool = False

    def refuse_too_many(self) -> None:
        """Raise TooManyQuestionsError if nothing may be looked up any more."""
        if not self.allowed:
            raise TooManyQuestionsError


_asked: ContextVar[Question | None] = ContextVar("question about people elsewhere", default=None)


@contextmanager
def asking(*, by: User, when: bool = True) -> Iterator[Question]:
    """
    Do in the block what may tell of people elsewhere.

    It counts where `learned` was set, and where RegisteredElsewhereError was raised, which is
    recorded, too. Stands outside the transaction of the act, with which count and record would be
    rolled back; inside another such block, that one counts. Without `when` nothing is asked.
    """
    outer = _asked.get()
    if outer or not when:
        yield outer or Question(allowed=False)
        return
    key = _key(by)
    # Taken before it is known what comes of it, so that many at once do not learn more.
    question = Question(counts.take(key, most=QUESTIONS_A_DAY, seconds=counts.DAY))
    token = _asked.set(question)
    try:
        yield question
    except RegisteredElsewhereError:
        question.learned = True
        audit.record(by=by, did=LEARNED, to=by)
        raise
    except TooManyQuestionsError:
        if question.learned:  # found, and refused by a narrower limit
            audit.record(by=by, did=LEARNED, to=by)
        raise
    finally:
        _asked.reset(token)
        if not question.learned:
            counts.give_back(key)


def current() -> Question:
    """Return the question that the caller's block asks."""
    question = _asked.get()
    if question is None:
        raise RuntimeError("Nothing about people elsewhere is asked outside of `asking`.")
    return question


def may_ask(*, by: User) -> bool:
    """Return whether another question would still be answered; nothing is counted."""
    return counts.take(_key(by), most=QUESTIONS_A_DAY - 1, seconds=counts.DAY, cost=0)


def note(*, by: User) -> bool:
    """Count what was learned outside of a block; return whether the limit still allowed it."""
    return counts.take(_key(by), most=QUESTIONS_A_DAY, seconds=counts.DAY)


def _key(by: User) -> str:
    return counts.key_of("elsewhere", str(by.key))
