"""Who calls: every role in every relation to one client, Maya of the practice `OURS`.

Most relations are facts about the caller; the rest are about the token that they send.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from shared.ids import PLATFORM

OURS, THEIRS = "practice-ours", "practice-theirs"
MAYA, NOAH, ZOE = "client-own", "client-unrelated", "client-theirs"
"""The client whom attempts are about, another of the same practice, and one of the other practice."""
CLARA, MALLORY, DANIEL = "clinician-own", "clinician-other_practice", "clinician-unrelated"
"""Maya's clinician, Zoe's, and one who has nothing to do with either."""
EHR, OTHER_APP = "app-own", "app-other_practice"

ENDED = "sign-in-ended"

MEMBERS = ("owner", "admin", "supervisor", "clinician")
OF_MEMBERS = {
    "own": "an open episode with Maya names them",
    "covering": "they take Clara's place today",
    "supervised": "Clara is one of those they supervise",
    "emergency": "they broke the glass for Maya a moment ago",
    "unrelated": "of the same practice, no more",
    "revoked": "their episode with Maya is closed",
    "suspended": "as own, and suspended",
    "removed": "as own, and removed",
    "expired": "as own, with an access token that has expired",
    "other_practice": "as own, of Zoe in the other practice",
}
OF_CLINICIANS = {
    "enrolled": "they enrolled Maya, who has had an episode with others since",
    "covering_tomorrow": "they will take Clara's place",
    "covering_yesterday": "they took Clara's place",
    "covering_cancelled": "they were to take Clara's place today, and it was called off",
    "covering_another": "they take the place of somebody else",
    "emergency_over": "they broke the glass for Maya more than an hour ago",
    "emergency_another": "they broke the glass for Noah",
}
OF_CLIENTS = {
    "own": "Maya herself",
    "unrelated": "Noah, of the same practice",
    "expired": "Maya, with an access token that has expired",
    "other_practice": "Zoe, of the other practice",
}
OF_APPS = {
    "own": "granted everything, and Maya consented",
    "unrelated": "granted everything, and Maya was never asked",
    "ungranted": "Maya consented, and the practice granted nothing",
    "revoked": "Maya consents, and the grant is revoked",
    "withdrawn": "granted everything, and Maya took her consent back",
    "narrow": "granted everything, and Maya consents to who she is, not to her care",
    "scopeless": "Maya consents, and the grant names nothing",
    "granted_elsewhere": "Maya consents, and only the other practice granted anything",
    "other_practice": "granted by the other practice, with Zoe's consent",
    "expired": "as own, with an access token that has expired",
}


@dataclass(frozen=True)
class Caller:
    id: str
    kind: str
    roles: tuple[str, ...]
    relation: str
    practice: str = OURS
    """Which the token names."""
    home: str = OURS
    """Where they are known."""
    claims: str = "good"
    """Of the token: good, expired, forged, of a sign-in that was ended, or none at all."""
    called: str = ""

    def __str__(self) -> str:
        return self.called or self.id

    @property
    def signed_in(self) -> bool:
        return self.claims == "good"

    @property
    def present(self) -> bool:
        """Whether they may do anything at all where their token leads."""
        return self.relation not in ("suspended", "removed", "stranger") and self.home == self.practice

    @property
    def subject(self) -> str:
        """The client to whom they stand in their relation."""
        return ZOE if self.home == THEIRS else MAYA


def cast() -> list[Caller]:
    return [*_members(), *_clients(), *_apps(), *_twisted()]


def _members() -> Iterator[Caller]:
    for role in MEMBERS:
        for relation in OF_MEMBERS:
            yield _member(role, relation)
    for relation in OF_CLINICIANS:
        yield _member("clinician", relation)
    yield _member("supervisor", "supervising_another")
    # Several roles of one person: each counts by itself.
    yield Caller("owner-clinician-unrelated", "member", ("owner", "clinician"), "unrelated")
    yield Caller("supervisor-clinician-own", "member", ("supervisor", "clinician"), "own")
    yield Caller("supervisor-clinician-covering", "member", ("supervisor", "clinician"), "covering")


def _member(role: str, relation: str) -> Caller:
    return Caller(f"{role}-{relation}", "member", (role,), relation, **_where(relation))


def _where(relation: str) -> dict[str, str]:
    where = {"practice": THEIRS, "home": THEIRS} if relation == "other_practice" else {}
    return where | ({"claims": "expired"} if relation == "expired" else {})


def _clients() -> Iterator[Caller]:
    ids = {"own": MAYA, "unrelated": NOAH, "expired": MAYA, "other_practice": ZOE}
    for relation in OF_CLIENTS:
        called = f"client-{relation}"
        yield Caller(ids[relation], "client", ("client",), relation, **_where(relation), called=called)


def _apps() -> Iterator[Caller]:
    for relation in OF_APPS:
        id = EHR if relation == "expired" else f"app-{relation}"
        yield Caller(id, "app", ("app",), relation, **_where(relation), called=f"app-{relation}")
    for id in (EHR, OTHER_APP):
        yield Caller(id, "app", ("app",), "platform", PLATFORM, PLATFORM, called=f"{id}-platform")


def _twisted() -> Iterator[Caller]:
    """Those whose token is none, or names somebody whom its practice does not know."""
    for claims in ("none", "garbage", "forged"):
        yield Caller(CLARA, "member", ("clinician",), "own", claims=claims, called=f"nobody-{claims}")
    for id, kind in ((CLARA, "member"), (MAYA, "client")):
        yield Caller(id, kind, (), "own", claims="ended", called=f"{id}-signed_out")
    for role in MEMBERS:
        # A token of ours for a person of the other practice.
        yield Caller(f"{role}-other_practice", "member", (), "stranger", called=f"{role}-stranger")
    yield Caller(ZOE, "client", (), "stranger", called="client-stranger")
    # One person, two roles: what one id may do as a member it may not do as a client, and the other way.
    yield Caller(CLARA, "client", (), "stranger", called="both-clinician_as_client")
    yield Caller(MAYA, "member", (), "stranger", called="both-client_as_member")
    yield Caller(CLARA, "app", (), "stranger", called="both-clinician_as_app")
    yield Caller(EHR, "member", (), "stranger", called="both-app_as_member")
    yield Caller(EHR, "member", (), "stranger", PLATFORM, called="both-app_as_member_of_the_platform")
    # Maya works here too, and Clara is somebody's client here: members and clients of their own ids.
    yield Caller("clinician-both", "member", ("clinician",), "unrelated")
    yield Caller("client-both", "client", ("client",), "unrelated")
