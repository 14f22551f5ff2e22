"""Words of changes for templates."""
