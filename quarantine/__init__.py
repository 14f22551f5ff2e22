"""Arrivals, cases, release, and what a new policy changes."""
