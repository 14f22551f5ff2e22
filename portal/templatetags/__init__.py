"""What templates of the overview say."""
