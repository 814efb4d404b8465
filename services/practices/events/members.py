"""What practices says of members."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


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
class MemberChanged:
    """A member is called, or wants to be spoken to, in another way."""

    type: ClassVar = "member.changed"
    audience: ClassVar = INTERNAL
    member_id: str
    display_name: str
    language: str
    timezone: str


@dataclass(frozen=True)
class MemberSignedOut:
    """Sign-ins of a member were ended: all those of the last twenty minutes, with when."""

    type: ClassVar = "member.signed_out"
    audience: ClassVar = INTERNAL
    member_id: str
    ended: dict[str, datetime]


@dataclass(frozen=True)
class MemberSnapshot(MemberJoined):
    """A member as they are."""

    type: ClassVar = "member.snapshot"
    audience: ClassVar = INTERNAL
    active: bool
    ended: dict[str, datetime]


EVENTS = (
    MemberJoined,
    MemberSuspended,
    MemberChanged,
    MemberSignedOut,
    MemberSnapshot,
)
