"""Arrivals: the form, the person and the case that follows."""
