"""Files of lists that leave the portal: marked, defused, and entered in a ledger for ever."""
