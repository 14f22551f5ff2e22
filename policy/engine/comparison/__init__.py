"""Comparing documents: which is stricter, and the transition of open cases."""
