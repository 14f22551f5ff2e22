"""Whose word counts as a second one: who had a hand in whose account."""
