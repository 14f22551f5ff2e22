"""A measure's plan, and the calendar of a plan laid on day 1."""
