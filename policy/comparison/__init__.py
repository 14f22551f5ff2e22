"""Where a document asks more or less than another, in words."""
