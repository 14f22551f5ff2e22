"""Closed outbreaks: whose data of one are frozen, until they are purged."""
