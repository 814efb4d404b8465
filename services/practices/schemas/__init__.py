"""The shapes of what practices is asked and answers: one file for each file of `api`, and `parts`."""
