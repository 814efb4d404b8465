"""Practices: who gives care to whom, and who may come in.

Owns practices, members and their leave cover, clients with their consents, looks at them in an emergency,
episodes of care with wishes for another clinician and readiness, sessions (appointments), apps and the
grants that practices give them, sign-in and tokens.

Says practice.opened, practice.changed, member.invited, member.joined, member.changed, member.suspended,
member.reinstated, member.removed, member.signed_out, cover.arranged, cover.cancelled, client.enrolled,
client.changed, client.joined, client.signed_out, client.consented, client.consent_withdrawn,
client.glass_broken, look.ended, episode.* for each step of an episode (docs/events.md),
session.scheduled, session.moved, session.held, session.missed, session.cancelled, app.registered,
grant.given, grant.revoked, person.contact_set for members and clients (to notifications alone, encrypted),
and a snapshot of each kind (practice.snapshot, person.snapshot, …) when told to republish;
wishes and readiness are told and kept by nobody else, so that they have none.

Listens to nothing: everybody else's knowledge of people begins here.

Besides the rooms that every service has: `access` (in what relation a caller stands to what they
ask for), `sign_in` (one-time codes, second factors, and what is exchanged for tokens), `tokens`
(signing keys and access tokens), `contacts` (addresses, encrypted to notifications), `mailer` (sends
codes, invitations, and word of a changed address), `removals` (hands over the episodes of members who
leave), `dates` (what the calendar brings to episodes), `calling_off` (cancels the sessions of care that
has ended), `renewal` (makes anew what was made with keys that were changed), `commands` (what an operator
does) and `sample` (a small practice to try things with).
"""
