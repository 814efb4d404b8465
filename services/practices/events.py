"""What practices says."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL, PUBLIC


@dataclass(frozen=True)
class PracticeOpened:
    """A practice begins to work with Tandem."""

    type: ClassVar = "practice.opened"
    audience: ClassVar = INTERNAL
    name: str
    timezone: str
    languages: list[str]
    crisis_texts: dict[str, str]


@dataclass(frozen=True)
class MemberJoined:
    """Somebody who works at a practice may sign in."""

    type: ClassVar = "member.joined"
    audience: ClassVar = INTERNAL
    member_id: str
    roles: list[str]
    display_name: str
    language: str
    timezone: str


@dataclass(frozen=True)
class MemberSuspended:
    """A member may do nothing any more, whatever tokens they hold."""

    type: ClassVar = "member.suspended"
    audience: ClassVar = INTERNAL
    member_id: str


@dataclass(frozen=True)
class ClientEnrolled:
    """An adult becomes a client of a practice."""

    type: ClassVar = "client.enrolled"
    audience: ClassVar = INTERNAL
    client_id: str
    display_name: str
    language: str
    timezone: str


@dataclass(frozen=True)
class ClientConsented:
    """A client allows an app to hear of them."""

    type: ClassVar = "client.consented"
    audience: ClassVar = INTERNAL
    client_id: str
    app_id: str
    given_at: datetime


@dataclass(frozen=True)
class ClientConsentWithdrawn:
    """A client allows an app no longer to hear of them."""

    type: ClassVar = "client.consent_withdrawn"
    audience: ClassVar = INTERNAL
    client_id: str
    app_id: str


@dataclass(frozen=True)
class EpisodeStarted:
    """A clinician begins to work with a client."""

    type: ClassVar = "episode.started"
    audience: ClassVar = PUBLIC
    episode_id: str
    client_id: str
    clinician_id: str
    started_at: datetime


@dataclass(frozen=True)
class AppRegistered:
    """A developer's app is known to the platform."""

    type: ClassVar = "app.registered"
    audience: ClassVar = INTERNAL
    app_id: str
    name: str


@dataclass(frozen=True)
class GrantGiven:
    """A practice lets an app hear some types of event and do some actions."""

    type: ClassVar = "grant.given"
    audience: ClassVar = INTERNAL
    grant_id: str
    app_id: str
    event_types: list[str]
    scopes: list[str]
    given_at: datetime


@dataclass(frozen=True)
class GrantRevoked:
    """A practice takes back what it granted an app."""

    type: ClassVar = "grant.revoked"
    audience: ClassVar = INTERNAL
    grant_id: str
    app_id: str


@dataclass(frozen=True)
class PracticeSnapshot(PracticeOpened):
    """A practice as it is, for who could not hear what happened."""

    type: ClassVar = "practice.snapshot"
    audience: ClassVar = INTERNAL


@dataclass(frozen=True)
class MemberSnapshot(MemberJoined):
    """A member as they are."""

    type: ClassVar = "member.snapshot"
    audience: ClassVar = INTERNAL
    active: bool


@dataclass(frozen=True)
class ClientSnapshot(ClientEnrolled):
    """A client as they are, with when they consented to which app, and which consents they withdrew."""

    type: ClassVar = "client.snapshot"
    audience: ClassVar = INTERNAL
    consents: dict[str, datetime]
    withdrawn: list[str]


@dataclass(frozen=True)
class EpisodeSnapshot(EpisodeStarted):
    """An episode as it is."""

    type: ClassVar = "episode.snapshot"
    audience: ClassVar = INTERNAL
    active: bool


@dataclass(frozen=True)
class AppSnapshot(AppRegistered):
    """An app as it is."""

    type: ClassVar = "app.snapshot"
    audience: ClassVar = INTERNAL


@dataclass(frozen=True)
class GrantSnapshot(GrantGiven):
    """A grant as it is."""

    type: ClassVar = "grant.snapshot"
    audience: ClassVar = INTERNAL
    active: bool
