"""What an attacker would try, and what goes wrong by itself, on loopback; see make attack."""
