"""Residents, households and buildings, and what is recorded about residents."""
