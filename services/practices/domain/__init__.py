"""The rules of practices, and the errors they can raise: one file for each kind of aggregate."""
