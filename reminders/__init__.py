"""What is due, told once, by whatever channel works."""
