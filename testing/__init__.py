"""Samples, results, local outbreaks and checks at doors."""
