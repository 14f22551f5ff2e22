"""The keys that seal personal data: checking and rotating them."""
