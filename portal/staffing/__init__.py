"""Who holds which grid: nobody goes without a successor, and nobody has more than they can do."""
