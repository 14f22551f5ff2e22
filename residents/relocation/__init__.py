"""Moves, departures, deaths, returns, and handovers to another community."""
