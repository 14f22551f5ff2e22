"""Which document is in force where; the law itself is in `policy.engine`."""
