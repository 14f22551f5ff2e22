"""The people who work here, their roles, and the areas they answer for."""
