"""Exports of lists as files: marked, without formulas, and recorded in a ledger."""
