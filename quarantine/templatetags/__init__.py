"""What templates of cases say."""
