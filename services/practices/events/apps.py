"""What practices says of apps and what they are granted."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class AppRegistered:
    """A developer's app is known to the platform."""

    type: ClassVar = "app.registered"
    audience: ClassVar = INTERNAL
    app_id: str
    name: str


@dataclass(frozen=True)
class GrantGiven:
    """A practice lets an app hear some types of event, each since when, and do some actions."""

    type: ClassVar = "grant.given"
    audience: ClassVar = INTERNAL
    grant_id: str
    app_id: str
    event_types: list[str]
    scopes: list[str]
    given_at: datetime
    since: dict[str, datetime]


@dataclass(frozen=True)
class GrantRevoked:
    """A practice takes back what it granted an app."""

    type: ClassVar = "grant.revoked"
    audience: ClassVar = INTERNAL
    grant_id: str
    app_id: str


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


EVENTS = (
    AppRegistered,
    GrantGiven,
    GrantRevoked,
    AppSnapshot,
    GrantSnapshot,
)
