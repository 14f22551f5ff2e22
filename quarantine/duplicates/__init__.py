"""Merging two entries of one person who may be under a measure, and undoing it."""
