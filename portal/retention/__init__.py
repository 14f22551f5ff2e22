"""Data that end: closing an outbreak, how long its data stay, the purge and its certificate."""
