"""Who may do what, written a second time, by hand: what a practice that trusts us with its clients expects.

From the sentences that are quoted here and from docs/architecture.md. Never import it from
shared/security/policy.py, nor copy a row from there: a mistake is found by the two being different.

A row lists "role relation", where relations are those that `cast` describes.
"""

GROUPS = {
    "office": "owner practice, admin practice",
    "staff": "owner practice, admin practice, supervisor practice, clinician practice",
    "somebody here": "owner practice, admin practice, supervisor practice, clinician practice, "
    "client practice",
    "the client": "client self",
    "their clinician": "clinician own",
    "who is in charge today": "clinician own, clinician covering",
    "their supervisor": "supervisor supervised",
    "who may read": "client self, clinician own, clinician covering, clinician emergency, "
    "supervisor supervised",
    "oneself": "person self",
    "an app itself": "app self",
    "an app": "app granted",
}

PUBLIC = {"openapi.read", "sign_in.ask", "token.issue", "keys.read"}
"""What is asked without a token, since it comes before one or says nothing of anybody."""

ROWS = {
    # Oneself: nobody else's business, not even an owner's.
    "me.read": "oneself, an app itself",
    "me.change": "oneself",
    "address.change": "oneself",
    "sign_in.list": "oneself",
    "sign_in.end": "oneself",
    # "owner and admin see people and figures"; clients must find the crisis text of their practice.
    "practice.read": "somebody here",
    "practice.change": "office",
    "member.invite": "office",
    "member.list": "staff",
    "member.read": "staff",
    "member.contact": "office, oneself",
    "member.change": "office",
    "member.suspend": "office",
    "member.reinstate": "office",
    "member.remove": "office",
    "member.reset_second_factor": "office",
    "cover.arrange": "office, oneself",
    "cover.cancel": "office, oneself",
    "cover.list": "staff",
    # "a clinician sees the clients of their episodes; a supervisor those of their supervisees".
    "client.enrol": "office, clinician practice",
    "client.list": "staff",
    "client.read": "who may read, office",
    "client.change": "the client, who is in charge today, office",
    "client.invite": "their clinician, office",
    "client.invite_all": "office",
    "client.link": "their clinician, office, an app",
    # What one app calls a client is no other app's business.
    "client.external_id": "their clinician, office, an app itself",
    # A consent is the client's own word.
    "consent.give": "the client",
    "consent.withdraw": "the client",
    # Those who treat; listed for the client under "who looked", and told to the owner.
    "glass.break": "clinician practice, supervisor practice",
    "look.list": "the client, office",
    "look.read": "the client, office, oneself",
    # It may be about others than the client.
    "look.reason": "office",
    "episode.start": "their clinician, office",
    "episode.list": "who may read, office",
    "episode.read": "who may read, office",
    "episode.activate": "their clinician, office",
    # "a client pauses or ends by themselves, at once"; resuming is of the two, never the office's.
    "episode.pause": "the client, who is in charge today, office",
    "episode.resume": "the client, who is in charge today",
    "episode.end": "the client, their clinician, office",
    "episode.close": "their clinician, office",
    "episode.transfer": "their supervisor, office",
    "episode.arrange_aftercare": "their clinician, office",
    # Readiness is what a client said of themselves.
    "episode.rate_readiness": "the client",
    "episode.read_readiness": "who may read",
    # What people write about a step is for the two and who stands beside them, not for the office.
    "episode.read_reasons": "who may read",
    # "A wish for another clinician goes to the supervisor or an admin, never to the clinician alone."
    "wish.say": "the client",
    "wish.take_back": "the client",
    "wish.text": "the client, their supervisor, office",
    # Which of them a supervisor finds in the list is said by wish.text.
    "wish.list": "supervisor practice, office",
    "wish.settle": "their supervisor, office",
    # "apps may write them with a grant".
    "session.schedule": "who is in charge today, office, an app",
    "session.list": "who may read, office, an app",
    "session.read": "who may read, office, an app",
    # Why somebody does not come is nothing for the office, nor for a program.
    "session.read_reason": "who may read",
    "session.move": "who is in charge today, office, an app",
    "session.settle": "who is in charge today, office, an app",
    "session.cancel": "the client, who is in charge today, office, an app",
    # "each practice grants it event types and scopes, and can revoke"; clients know to whom they consent.
    "app.list": "office, clinician practice, client practice",
    "grant.give": "office",
    "grant.list": "office, clinician practice, client practice",
    "grant.read": "office, clinician practice, client practice",
    "grant.revoke": "office",
    # Two-party agreement; what clients wrote is nothing for owner and admin.
    "goal.propose": "the client, their clinician",
    "goal.agree": "the client, their clinician",
    "goal.decline": "the client, their clinician",
    "goal.read": "who may read, an app",
    "goal.list": "who may read, an app",
    # feedback.* is internal: no app hears or reads of it.
    "feedback.give": "the client",
    "feedback.answer": "who is in charge today",
    "feedback.read": "who may read",
    "feedback.list": "who may read",
    "notification.list": "oneself",
    "notification.read": "oneself",
    "endpoint.register": "an app itself",
    "endpoint.list": "an app itself",
    "endpoint.read": "an app itself",
    "endpoint.remove": "an app itself",
    "delivery.list": "an app itself",
}

OF_WORDS = {
    "member.contact",
    "wish.text",
    "look.read",
    "look.reason",
    "client.external_id",
}
"""Rows that the policy has none of: they say who may read a part of an answer."""

ONES_OWN = {"glass.break"}
"""What somebody began, nobody else ends by the same right."""


def row(action: str) -> frozenset[tuple[str, ...]]:
    """The (role, relation) that may take the action."""
    assert action in ROWS, f"Say in tests/access/table.py who may take the action {action}."
    named = (one.strip() for one in ROWS[action].split(","))
    pairs = (pair for name in named for pair in GROUPS.get(name, name).split(","))
    return frozenset(tuple(pair.split()) for pair in pairs)
