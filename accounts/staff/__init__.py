"""Staff accounts, their roles and areas."""
