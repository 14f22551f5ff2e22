"""Pages of arrivals and cases."""
