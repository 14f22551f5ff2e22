"""A document written out from its values, in plain Chinese and English."""
