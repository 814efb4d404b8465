"""Seeded mistakes: each is made in a copy of the source, and the tests that should see it are run."""
