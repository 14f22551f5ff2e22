"""The keys that seal personal data: whether they are the right ones, and replacing them."""
