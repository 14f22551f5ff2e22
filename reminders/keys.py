"""
Keys of messages, made from what they are about: by them a gateway knows a message again.

A database restored from a backup makes the same messages under the same keys, and a gateway that
honours keys delivers none of them a second time. Numbers of rows take no part: after a restoring
the next case gets the number of one that was lost.
"""

from typing import Any

from django.db.models import F, Func, UUIDField, Value

DIGEST = "encode(substring(sha256(convert_to(concat_ws('|', {}), 'UTF8')) FOR 16), 'hex')::uuid"


class MessageKey(Func):
    """The key of a message about `about`: the key of a case, or the code of a grid."""

    template = DIGEST.format("%(expressions)s")
    output_field = UUIDField()

    def __init__(self, about: str, *, kind: Value, day: str | Value, channel: Value) -> None:
        of_day: Any = F(day) if isinstance(day, str) else day
        super().__init__(
            F(about), kind, Func(of_day, Value("YYYY-MM-DD"), function="to_char"), channel
        )


# A change has no day of its own: what it changes, and the how-manieth of its kind it is.
KEY_OF_CHANGE = DIGEST.format(
    """
    c.key, 'changed', %(channel)s::text, p.digest, to_char(n.after_release_on, 'YYYY-MM-DD'),
    n.transition, (
        SELECT count(*) FROM reminders_change e
        WHERE e.case_id = n.case_id AND e.id < n.id AND e.after_plan_id = n.after_plan_id
            AND e.after_release_on IS NOT DISTINCT FROM n.after_release_on
            AND e.transition = n.transition
    )
    """
)
