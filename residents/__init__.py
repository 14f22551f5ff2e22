"""Residents, households and the buildings they live in."""
