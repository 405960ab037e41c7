"""What follows if a frozen population plays on, or one seat leaves its policy."""
