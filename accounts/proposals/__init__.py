"""What two administrators decide about an account: one proposes, another approves."""
