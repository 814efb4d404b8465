"""notifications: what people are told.

Owns: each person's inbox.
Says: nothing yet.
Listens to: goal.* of goals, feedback.* of feedback, and episode.* and client.joined of practices, to tell
of them; practices, to know whom it tells, and to tell owners of emergency access.
"""
