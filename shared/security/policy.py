"""Who may do what: one row for each action, naming every (role, relation) that may take it.

Relations: `self` (it is their own), `own` (clinician of a current episode of that client),
`practice` (of the same practice), `granted` (an app whose grant names the action, and the client
consented). A caller's standings never add up: one of them must be in the row.
"""

from collections.abc import Collection

Standing = tuple[str, str]

_MANAGERS = frozenset({("owner", "practice"), ("admin", "practice")})
_STAFF = _MANAGERS | {("clinician", "practice"), ("supervisor", "practice")}
_CARE = _MANAGERS | {("clinician", "practice")}
_PRACTICE = _STAFF | {("client", "practice")}
_CLIENT = frozenset({("client", "self")})
_CLINICIAN = frozenset({("clinician", "own")})
_TREATMENT = _CLIENT | _CLINICIAN
_PERSON = frozenset({("person", "self")})
_APP = frozenset({("app", "self")})
_GRANTED = frozenset({("app", "granted")})

POLICY: dict[str, frozenset[Standing]] = {
    "me.read": _PERSON | _APP,
    # practices
    "practice.read": _PRACTICE,
    "member.invite": _MANAGERS,
    "member.list": _STAFF,
    "member.read": _STAFF,
    "member.suspend": _MANAGERS,
    "client.enrol": _CARE,
    "client.list": _CARE,
    "client.read": _TREATMENT | _MANAGERS,
    "episode.start": _CLINICIAN | _MANAGERS,
    "episode.list": _TREATMENT | _MANAGERS,
    "episode.read": _TREATMENT | _MANAGERS,
    "consent.give": _CLIENT,
    "consent.withdraw": _CLIENT,
    "app.list": _CARE | {("client", "practice")},
    "grant.give": _MANAGERS,
    "grant.list": _CARE | {("client", "practice")},
    "grant.read": _CARE | {("client", "practice")},
    "grant.revoke": _MANAGERS,
    # goals
    "goal.propose": _TREATMENT,
    "goal.agree": _TREATMENT,
    "goal.decline": _TREATMENT,
    "goal.read": _TREATMENT | _GRANTED,
    "goal.list": _TREATMENT | _GRANTED,
    # feedback
    "feedback.give": _CLIENT,
    "feedback.answer": _CLINICIAN,
    "feedback.read": _TREATMENT,
    "feedback.list": _TREATMENT,
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


def permits(action: str, standings: Collection[Standing]) -> bool:
    """Whether one of these standings may take the action; an action without a row is an error of ours."""
    return not POLICY[action].isdisjoint(standings)
