"""Whitelist workers, their duties and gate codes."""
