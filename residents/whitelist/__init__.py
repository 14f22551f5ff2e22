"""Whitelist workers: who keeps society running, until when, and the code they show at a gate."""
