"""The database backend, by the module name that Django asks for."""

from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """
    Reads large results from a cursor of the server's inside a transaction only.

    Behind a pooler in transaction mode, a cursor that outlives its transaction stays on a
    connection that the next statement need not get. Outside a transaction a result is read at
    once, as by Django's `DISABLE_SERVER_SIDE_CURSORS`: who reads many rows begins one.
    """

    def chunked_cursor(self) -> Any:
        """Return the cursor of `QuerySet.iterator`."""
        return super().chunked_cursor() if self.in_atomic_block else self.cursor()
