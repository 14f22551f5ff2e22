"""Possible duplicates among residents: proposing, merging and marking as different."""
