"""Staff: areas, users, roles, exports and the audit."""
