"""Practices: who gives care to whom, and who may come in.

Owns practices, members, clients with their consents, episodes of care with wishes for another clinician
and readiness, apps and the grants that practices give them, sign-in and tokens.

Says practice.opened, member.joined, member.suspended, client.enrolled, client.changed, client.joined,
client.consented, client.consent_withdrawn, episode.* for each step of an episode (docs/events.md),
app.registered, grant.given, grant.revoked, and a snapshot of each kind (practice.snapshot, …) when told to
republish; wishes and readiness are told and kept by nobody else, so that they have none.

Listens to nothing: everybody else's knowledge of people begins here.

Besides the rooms that every service has: `access` (in what relation a caller stands to what they
ask for), `sign_in` (one-time codes, and what is exchanged for tokens), `tokens` (signing keys and
access tokens), `mailer` (sends the codes), `dates` (what the calendar brings to
episodes), `commands` (what an operator does) and `sample` (a small
practice to try things with).
"""
