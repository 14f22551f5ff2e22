"""The people who work here: areas, users, roles, audit."""
