"""Opening the record of another area: with a reason, for an hour, told to who answers for it."""
