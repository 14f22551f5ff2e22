"""A person's own data: a file of everything that the portal knows of them."""
