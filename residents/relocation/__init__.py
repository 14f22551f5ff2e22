"""Moving house, leaving, dying, coming back, and being handed over to another community."""
