"""What the law asks of a person, a post, a place or a door."""
