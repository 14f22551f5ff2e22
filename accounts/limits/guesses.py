"""
Passwords and codes may be guessed a few times only, and then ever more slowly.

Wrong ones count for an account together with the address they come from, so that a stranger
slows down himself and not the owner. On a device on which the owner has signed in before they
count for that device alone. What comes from many addresses meets a limit for the account and
what tries many accounts one for the address, of which neither holds for known devices.
"""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import HttpRequest
from django.utils.translation import ngettext

from accounts.limits import counts
from accounts.limits.counts import Delay, key_of
from accounts.limits.devices import device_of

HERE = Delay(free=5, first=60, longest=3600)
OF_ACCOUNT = Delay(free=100, first=60, longest=900)
OF_ADDRESS = Delay(free=30, first=4, longest=60, forget=900)
MINUTE = 60
PASSWORD, CODE = "password", "code"  # what is guessed


class TooManyGuessesError(ValidationError):
    """Too many wrong entries: the next one has to wait."""

    def __init__(self, seconds: int) -> None:
        minutes = -(-seconds // MINUTE)
        super().__init__(
            ngettext(
                "Too many wrong entries. Try again in %(count)d minute.",
                "Too many wrong entries. Try again in %(count)d minutes.",
                minutes,
            )
            % {"count": minutes}
        )


def guess(request: HttpRequest, *, what: str, username: str) -> Callable[[], None]:
    """
    Count a guess as a wrong one; return what is to be called if it was right.

    `what` is PASSWORD or CODE. Raise TooManyGuessesError while one has to wait.
    """
    account = username.lower()
    if device := device_of(request, account):
        limits = {key_of("device", what, account, device): HERE}
    else:
        address = counts.address_of(request)
        limits = {
            key_of("here", what, account, address): HERE,
            key_of("account", what, account): OF_ACCOUNT,
            key_of("address", what, address): OF_ADDRESS,
        }
    with transaction.atomic():  # all are counted, or none
        for key, delay in limits.items():
            if wait := counts.try_once(key, delay):
                raise TooManyGuessesError(wait)

    def right() -> None:
        own, *shared = limits
        counts.forget(own)
        for key in shared:  # not forgotten: one's own account would clear it for others'
            counts.give_back(key)

    return right
