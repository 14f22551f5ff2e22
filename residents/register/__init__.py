"""The register of residents: identity, addresses, masking, services."""
