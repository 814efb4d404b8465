"""notifications: what people are told.

Owns: each person's inbox.
Says: nothing yet.
Listens to: goal.* of goals, feedback.* of feedback, and member.*, client.* of practices to know whom it tells.
"""
