"""goals: what client and clinician agree to work towards.

Owns: goals.
Says: goal.proposed, goal.agreed, goal.declined.
Listens to: member.*, client.*, episode.*, grant.* of practices, to know who may see which client; and
practice.*, for the crisis texts that an answer to a client's words carries.
"""
