"""Access to records of other areas: with a reason, for an hour, shown to their supervisors."""
