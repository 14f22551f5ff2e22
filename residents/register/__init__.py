"""The register: who people are and where they live, as typed, kept and masked."""
