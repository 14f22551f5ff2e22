"""
Count tries, in one statement each: two processes never take the same last one.

Counted inside a transaction, what is rolled back was not tried. By the database's clock.
"""

import ipaddress
from dataclasses import dataclass

from allauth.account.adapter import get_adapter
from django.db import connection
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

DAY = 24 * 3600
IPV6_OF_ONE = 64  # bits of an address that one customer holds

_TAKE = """
INSERT INTO accounts_limit AS held (key, used, since, last)
VALUES (%(key)s, %(cost)s, statement_timestamp(), statement_timestamp())
ON CONFLICT (key) DO UPDATE SET
    used = excluded.used
        + CASE WHEN held.since > excluded.since - %(within)s * interval '1 second'
               THEN held.used ELSE 0 END,
    since = CASE WHEN held.since > excluded.since - %(within)s * interval '1 second'
                 THEN held.since ELSE excluded.since END,
    last = excluded.last
RETURNING used
"""
_WAIT = """
CASE WHEN held.last < statement_timestamp() - %(forget)s * interval '1 second'
        OR held.used < %(free)s THEN interval '0'
     ELSE interval '1 second'
        * least(%(first)s * power(2, least(held.used - %(free)s, 30)), %(longest)s) END
"""
_TRY = f"""
INSERT INTO accounts_limit AS held (key, used, since, last)
VALUES (%(key)s, 1, statement_timestamp(), statement_timestamp())
ON CONFLICT (key) DO UPDATE SET
    used = CASE WHEN held.last < excluded.last - %(forget)s * interval '1 second'
                THEN 1 ELSE held.used + 1 END,
    last = excluded.last
WHERE held.last + {_WAIT} <= excluded.last
RETURNING used
"""  # noqa: S608 - no values
_LEFT = f"""
SELECT ceil(extract(epoch FROM held.last + {_WAIT} - statement_timestamp()))
FROM accounts_limit AS held WHERE key = %(key)s
"""  # noqa: S608 - no values


@dataclass(frozen=True)
class Delay:
    """
    How the wait grows between tries: none before `free`, then `first` seconds, doubled each time.

    `longest` is the longest wait; after `forget` seconds without a try it begins anew.
    """

    free: int
    first: int
    longest: int
    forget: int = DAY


def key_of(*parts: str) -> str:
    """Return the key of a count; who is meant cannot be read from it."""
    return salted_hmac("accounts.limits", "\n".join(parts), algorithm="sha256").hexdigest()


def address_of(request: HttpRequest) -> str:
    """Return the client's address; of IPv6 what one customer holds."""
    address = str(get_adapter().get_client_ip(request))
    if ":" not in address:
        return address
    network = ipaddress.ip_network(f"{address.partition('%')[0]}/{IPV6_OF_ONE}", strict=False)
    return str(network.network_address)


def take(key: str, *, most: int, seconds: int, cost: int = 1) -> bool:
    """
    Add `cost` to a count; return whether it is now within `most`.

    The window begins with the first count; `cost` 0 only looks.
    """
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"key": key, "cost": cost, "within": seconds})
        return bool(cursor.fetchone()[0] <= most)


def try_once(key: str, delay: Delay) -> int:
    """Count a try if none has to be waited for; return 0, or the seconds that are left."""
    given = {"key": key, **vars(delay)}
    with connection.cursor() as cursor:
        cursor.execute(_TRY, given)
        if cursor.fetchone():
            return 0
        cursor.execute(_LEFT, given)
        left = cursor.fetchone()
    return max(int(left[0]), 1) if left else 1


def give_back(key: str) -> None:
    """Take one try from a count."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_limit SET used = greatest(used - 1, 0) WHERE key = %s", [key]
        )


def forget(key: str) -> None:
    """Begin a count anew."""
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_limit WHERE key = %s", [key])


def forget_old() -> int:
    """Delete counts that no limit looks at any more; return how many."""
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM accounts_limit WHERE last < statement_timestamp() - interval '2 days'"
        )
        return int(cursor.rowcount)


def over_rate_limit(
    request: HttpRequest, *, action: str, most: int, seconds: int, cost: int = 1
) -> bool:
    """Add `cost` to the count of the client's address; return whether it exceeds `most`."""
    key = key_of("address", action, address_of(request))
    return not take(key, most=most, seconds=seconds, cost=cost)
