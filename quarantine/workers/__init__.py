"""Whitelist workers: whether they may work now, and which proofs they need."""
