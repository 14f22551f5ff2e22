"""How often something may be tried, counted in the database: at once for all processes."""
