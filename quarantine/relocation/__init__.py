"""People under measures who move, leave, die or come back."""
