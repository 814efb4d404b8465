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
class ClientJoined:
    """A client who was invited has signed in for the first time."""

    type: ClassVar = "client.joined"
    audience: ClassVar = INTERNAL
    client_id: str
    joined_at: datetime


@dataclass(frozen=True)
class ClientChanged:
    """A client is called, or wants to be spoken to, in another way."""

    type: ClassVar = "client.changed"
    audience: ClassVar = INTERNAL
    client_id: str
    display_name: str
    language: str
    timezone: str


@dataclass(frozen=True)
class ClientSignedOut:
    """Sign-ins of a client were ended: all those of the last twenty minutes, with when."""

    type: ClassVar = "client.signed_out"
    audience: ClassVar = INTERNAL
    client_id: str
    ended: dict[str, datetime]


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
class ClientSnapshot(ClientEnrolled):
    """A client as they are, with when they consented to which app, and which consents they withdrew."""

    type: ClassVar = "client.snapshot"
    audience: ClassVar = INTERNAL
    consents: dict[str, datetime]
    withdrawn: list[str]
    ended: dict[str, datetime]


EVENTS = (
    ClientEnrolled,
    ClientJoined,
    ClientChanged,
    ClientSignedOut,
    ClientConsented,
    ClientConsentWithdrawn,
    ClientSnapshot,
)
