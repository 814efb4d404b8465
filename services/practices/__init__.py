"""Practices: who gives care to whom, and who may come in.

Owns practices, members, clients with their consents, episodes of care, apps and the grants that
practices give them, sign-in and tokens.

Says practice.opened, member.joined, member.suspended, member.changed, member.signed_out,
client.enrolled, client.joined, client.changed, client.signed_out, client.consented,
client.consent_withdrawn, episode.started, app.registered, grant.given, grant.revoked, and a snapshot of
each kind (practice.snapshot, …) when told to republish.

Listens to nothing: everybody else's knowledge of people begins here.

Besides the rooms that every service has: `access` (in what relation a caller stands to what they
ask for), `sign_in` (one-time codes, second factors, and what is exchanged for tokens), `tokens`
(signing keys and access tokens), `mailer` (sends the codes, and word of a changed address), `commands`
(what an operator does) and `sample` (a small practice to try things with).
"""
