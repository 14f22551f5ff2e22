"""Pages on which accounts are made and changed, and what two administrators decide about them."""
