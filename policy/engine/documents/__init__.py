"""Documents: their shape, strict reading, and the law that they make with their parents."""
