"""What practices says of clients."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


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
class ClientChanged(ClientEnrolled):
    """A client has another name, language or time zone: all three as they are now."""

    type: ClassVar = "client.changed"
    audience: ClassVar = INTERNAL


@dataclass(frozen=True)
class ClientJoined:
    """A client accepts the invitation, by signing in for the first time."""

    type: ClassVar = "client.joined"
    audience: ClassVar = INTERNAL
    client_id: str
    enrolled_by: str
    joined_at: datetime


@dataclass(frozen=True)
class ClientConsented:
    """A client allows an app to hear of them, as far as `covers` names kinds of record."""

    type: ClassVar = "client.consented"
    audience: ClassVar = INTERNAL
    client_id: str
    app_id: str
    given_at: datetime
    covers: list[str]


@dataclass(frozen=True)
class ClientConsentWithdrawn:
    """A client allows an app no longer to hear of them."""

    type: ClassVar = "client.consent_withdrawn"
    audience: ClassVar = INTERNAL
    client_id: str
    app_id: str


@dataclass(frozen=True)
class ClientSignedOut:
    """Sign-ins of a client were ended: all those of the last twenty minutes, with when."""

    type: ClassVar = "client.signed_out"
    audience: ClassVar = INTERNAL
    client_id: str
    ended: dict[str, datetime]


@dataclass(frozen=True)
class ClientSnapshot(ClientEnrolled):
    """A client as they are, with each app's last consent: since when, what it covers, whether withdrawn."""

    type: ClassVar = "client.snapshot"
    audience: ClassVar = INTERNAL
    consents: dict[str, datetime]
    withdrawn: list[str]
    covers: dict[str, list[str]]
    ended: dict[str, datetime]


EVENTS = (
    ClientEnrolled,
    ClientChanged,
    ClientJoined,
    ClientSignedOut,
    ClientConsented,
    ClientConsentWithdrawn,
    ClientSnapshot,
)
