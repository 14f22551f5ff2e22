"""Samples and results."""
