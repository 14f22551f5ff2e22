"""The law: facts in, answer out. Pure Python; reads no clock, setting or database."""
