"""People under measures who move, leave, die, come back, or stand twice in the register."""
