"""Which lists may leave the portal as files, and the pages on which they are taken."""
