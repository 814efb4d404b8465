"""feedback: what clients say about their sessions, and what clinicians answer.

Owns: feedback and the clinician's answers.
Says: feedback.given, feedback.answered.
Listens to: member.*, client.*, episode.*, grant.* of practices, to know who may see which client;
session.*, to know when they meet; and practice.*, for the crisis texts that an answer to a client's words
carries.
"""
