"""Who may do what: one row for each action, naming every (role, relation) that may take it.

Relations:

- `self`: it is their own;
- `own`: clinician of an open episode of that client; in practices also who enrolled them, as long as they
  had none (what other services keep of them does not say who did);
- `under_way`: clinician of an episode in which that client is heard (no row names it; see clinician_for);
- `covering`: takes the place, today, of an absent clinician in that relation;
- `supervised`: supervisor of a clinician in that relation;
- `emergency`: broke the glass for that client less than an hour ago;
- `practice`: of the same practice;
- `granted`: an app whose grant names the action, and the client consented.

A caller's standings never add up: one of them must be in the row.
"""

from collections.abc import Collection

Standing = tuple[str, str]

_MANAGERS = frozenset({("owner", "practice"), ("admin", "practice")})
_STAFF = _MANAGERS | {("clinician", "practice"), ("supervisor", "practice")}
_CARE = _MANAGERS | {("clinician", "practice")}
_PRACTICE = _STAFF | {("client", "practice")}
_CLIENT = frozenset({("client", "self")})
_CLINICIAN = frozenset({("clinician", "own")})
_PRESENT = _CLINICIAN | {("clinician", "covering")}
_SUPERVISOR = frozenset({("supervisor", "supervised")})
_BOTH = _CLIENT | _CLINICIAN
_READERS = _CLIENT | _PRESENT | _SUPERVISOR | {("clinician", "emergency")}
_PERSON = frozenset({("person", "self")})
_APP = frozenset({("app", "self")})
_GRANTED = frozenset({("app", "granted")})

POLICY: dict[str, frozenset[Standing]] = {
    # practices: oneself
    "me.read": _PERSON | _APP,
    "me.change": _PERSON,
    "address.change": _PERSON,
    "sign_in.list": _PERSON,
    "sign_in.end": _PERSON,
    # practices: the practice and who works there
    "practice.read": _PRACTICE,
    "practice.change": _MANAGERS,
    "member.invite": _MANAGERS,
    "member.list": _STAFF,
    "member.read": _STAFF,
    "member.change": _MANAGERS,
    "member.suspend": _MANAGERS,
    "member.reinstate": _MANAGERS,
    "member.remove": _MANAGERS,
    "member.reset_second_factor": _MANAGERS,
    "cover.arrange": _MANAGERS | _PERSON,
    "cover.cancel": _MANAGERS | _PERSON,
    "cover.list": _STAFF,
    # practices: who is in care
    "client.enrol": _CARE,
    "client.list": _STAFF,
    "client.read": _READERS | _MANAGERS,
    "client.change": _CLIENT | _PRESENT | _MANAGERS,
    "client.invite": _CLINICIAN | _MANAGERS,
    "client.invite_all": _MANAGERS,
    "client.link": _CLINICIAN | _MANAGERS | _GRANTED,
    "consent.give": _CLIENT,
    "consent.withdraw": _CLIENT,
    "glass.break": frozenset({("clinician", "practice"), ("supervisor", "practice")}),
    "look.list": _CLIENT | _MANAGERS,
    # practices: care
    "episode.start": _CLINICIAN | _MANAGERS,
    "episode.list": _READERS | _MANAGERS,
    "episode.read": _READERS | _MANAGERS,
    "episode.read_reasons": _READERS,
    "episode.activate": _CLINICIAN | _MANAGERS,
    "episode.pause": _CLIENT | _PRESENT | _MANAGERS,
    "episode.resume": _CLIENT | _PRESENT,
    "episode.end": _CLIENT | _CLINICIAN | _MANAGERS,
    "episode.close": _CLINICIAN | _MANAGERS,
    "episode.transfer": _SUPERVISOR | _MANAGERS,
    "episode.arrange_aftercare": _CLINICIAN | _MANAGERS,
    "episode.rate_readiness": _CLIENT,
    "episode.read_readiness": _READERS,
    "wish.say": _CLIENT,
    "wish.take_back": _CLIENT,
    "wish.list": _MANAGERS | {("supervisor", "practice")},
    "wish.settle": _SUPERVISOR | _MANAGERS,
    "session.schedule": _PRESENT | _MANAGERS | _GRANTED,
    "session.list": _READERS | _MANAGERS | _GRANTED,
    "session.read": _READERS | _MANAGERS | _GRANTED,
    "session.read_reason": _READERS,
    "session.move": _PRESENT | _MANAGERS | _GRANTED,
    "session.settle": _PRESENT | _MANAGERS | _GRANTED,
    "session.cancel": _CLIENT | _PRESENT | _MANAGERS | _GRANTED,
    # practices: apps
    "app.list": _CARE | {("client", "practice")},
    "grant.give": _MANAGERS,
    "grant.list": _CARE | {("client", "practice")},
    "grant.read": _CARE | {("client", "practice")},
    "grant.revoke": _MANAGERS,
    # goals
    "goal.propose": _BOTH,
    "goal.agree": _BOTH,
    "goal.decline": _BOTH,
    "goal.read": _READERS | _GRANTED,
    "goal.list": _READERS | _GRANTED,
    # feedback
    "feedback.give": _CLIENT,
    "feedback.answer": _PRESENT,
    "feedback.read": _READERS,
    "feedback.list": _READERS,
    # notifications
    "notification.list": _PERSON,
    "notification.read": _PERSON,
    # partners
    "endpoint.register": _APP,
    "endpoint.list": _APP,
    "endpoint.read": _APP,
    "endpoint.remove": _APP,
    "delivery.list": _APP,
}

SCOPES = tuple(sorted(action for action, row in POLICY.items() if row & _GRANTED))
"""What an app's grant may let it do."""

PUBLIC_EVENTS = (
    "episode.aftercare_arranged",
    "episode.check_in_due",
    "episode.closed",
    "episode.ended",
    "episode.paused",
    "episode.planned",
    "episode.resume_asked",
    "episode.resumed",
    "episode.started",
    "episode.transferred",
    "goal.agreed",
    "goal.declined",
    "goal.proposed",
    "session.cancelled",
    "session.held",
    "session.missed",
    "session.moved",
    "session.scheduled",
)
"""What an app's grant may let it hear of; a test compares it with what the services declare as public."""


def permits(action: str, standings: Collection[Standing]) -> bool:
    """Whether one of these standings may take the action; an action without a row is an error of ours."""
    return not POLICY[action].isdisjoint(standings)
