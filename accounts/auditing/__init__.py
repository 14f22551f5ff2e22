"""Who did and read what: entries, the chain over them, and its head outside the database."""
