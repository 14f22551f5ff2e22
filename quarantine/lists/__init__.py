"""Lists of cases and the numbers before them: what is due today, filters, forecast."""
