"""Entries that may be one person twice: proposed, merged, told apart."""
