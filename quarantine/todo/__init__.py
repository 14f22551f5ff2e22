"""Danger as something to do: opened by the fact, owned, due, escalated, done only by an act."""
