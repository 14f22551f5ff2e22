"""Template tags of this application."""
