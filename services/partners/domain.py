"""Endpoints, who is entitled to an event, and how a delivery goes on after each attempt."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class EndpointNotFound(Exception):
    """There is no such endpoint."""


class EndpointRemoved(Exception):
    """The endpoint has been removed already."""


class EndpointState(StrEnum):
    ACTIVE = "active"
    DISABLED = "disabled"
    """It answered 410 Gone."""
    REMOVED = "removed"


@dataclass
class Endpoint:
    """Where an app wants to be told, and of what; no `event_types` means every public event."""

    id: str
    practice_id: str
    app_id: str
    url: str
    sealed_secret: str
    created_at: datetime
    event_types: list[str] | None = None
    state: EndpointState = EndpointState.ACTIVE
    ended_at: datetime | None = None
    version: int = 0
    events: list[Any] = field(default_factory=list)

    def remove(self, at: datetime) -> None:
        if self.state is EndpointState.REMOVED:
            raise EndpointRemoved(f"Endpoint {self.id} is removed; register a new one.")
        self.state, self.ended_at = EndpointState.REMOVED, at

    def disable(self, at: datetime) -> None:
        """The receiver said that it is gone; nothing is sent there again."""
        if self.state is EndpointState.ACTIVE:
            self.state, self.ended_at = EndpointState.DISABLED, at

    def takes(self, type: str) -> bool:
        return self.state is EndpointState.ACTIVE and (self.event_types is None or type in self.event_types)


@dataclass(frozen=True)
class PublicEvent:
    """An event that may leave the platform, with the envelope as it was published."""

    id: str
    practice_id: str
    type: str
    time: datetime
    client_id: str | None
    envelope: str


@dataclass(frozen=True)
class Grant:
    """A practice lets an app hear of these types, of the one that is asked about since `given_at`."""

    app_id: str
    event_types: frozenset[str]
    given_at: datetime


@dataclass(frozen=True)
class Consent:
    """A client lets an app hear of them, as far as it `covers` the kind of record (None: any)."""

    app_id: str
    client_id: str
    given_at: datetime
    covers: frozenset[str] | None = None


def entitled(
    event: PublicEvent, endpoint: Endpoint, grants: Iterable[Grant], consents: Iterable[Consent]
) -> bool:
    """Whether this endpoint may hear of this event, given the grants and consents that stand now.

    Each must have been given before the event and be standing still: what happened before a client
    consented stays unheard, and a consent given anew does not reach back to before it.
    """
    return (
        endpoint.takes(event.type)
        and endpoint.created_at <= event.time
        and any(_grants(grant, event, endpoint.app_id) for grant in grants)
        and (event.client_id is None or any(_consents(c, event, endpoint.app_id) for c in consents))
    )


def _grants(grant: Grant, event: PublicEvent, app_id: str) -> bool:
    return grant.app_id == app_id and event.type in grant.event_types and grant.given_at <= event.time


def _consents(consent: Consent, event: PublicEvent, app_id: str) -> bool:
    kind = event.type.partition(".")[0]
    return (
        consent.app_id == app_id
        and consent.client_id == event.client_id
        and consent.given_at <= event.time
        and (consent.covers is None or kind in consent.covers)
    )


class DeliveryState(StrEnum):
    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"
    """No longer entitled, or no longer an endpoint, when it was to be sent."""


@dataclass(frozen=True)
class Attempt:
    """One try to deliver: the status answered, or why there was none; never what was answered."""

    at: datetime
    ms: int
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True)
class Delivery:
    """One event on its way to one endpoint; `next_at` only while it is pending."""

    id: str
    practice_id: str
    endpoint_id: str
    event_id: str
    event_type: str
    created_at: datetime
    next_at: datetime | None
    state: DeliveryState = DeliveryState.PENDING
    attempts: tuple[Attempt, ...] = ()

    def after(self, attempt: Attempt, jitter: float, retry_after: timedelta | None = None) -> "Delivery":
        """What becomes of it; `jitter` is in [0, 1)."""
        tried = replace(self, attempts=(*self.attempts, attempt), next_at=None)
        if attempt.status is not None and 200 <= attempt.status < 300:
            return replace(tried, state=DeliveryState.DELIVERED)
        if attempt.status == GONE or len(tried.attempts) > len(PAUSES):
            return replace(tried, state=DeliveryState.FAILED)
        pause = _pause(len(tried.attempts), jitter, retry_after)
        return replace(tried, next_at=attempt.at + timedelta(milliseconds=attempt.ms) + pause)

    def cancelled(self) -> "Delivery":
        return replace(self, state=DeliveryState.CANCELLED, next_at=None)


GONE = 410
"""Standard Webhooks: a receiver that answers it wants nothing more."""

PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
"""The schedule of Standard Webhooks ("Deliverability and reliability"), after the attempt made at once."""

LONGEST_RETRY_AFTER = timedelta(hours=24)
JITTER = 0.2
"""A pause is made longer by up to this share, so that what failed together does not come back together."""


def _pause(attempts: int, jitter: float, retry_after: timedelta | None) -> timedelta:
    """The schedule's pause, or what the receiver asked for where that is longer, within bounds."""
    asked = min(retry_after or timedelta(0), LONGEST_RETRY_AFTER)
    return max(PAUSES[attempts - 1], asked) * (1 + JITTER * jitter)
