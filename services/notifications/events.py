"""What notifications says: nothing yet."""
