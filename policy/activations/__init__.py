"""Which document is in force where and since when, and who decided it."""
