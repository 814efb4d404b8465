"""What partners says: nothing yet, because nobody would listen."""
