"""One document beside another: what goes further, and what becomes of a case."""
