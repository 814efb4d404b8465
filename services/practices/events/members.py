"""What practices says of members."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from shared.messaging.audience import INTERNAL


@dataclass(frozen=True)
class MemberInvited:
    """Somebody is asked to work at a practice, and may do nothing there yet."""

    type: ClassVar = "member.invited"
    audience: ClassVar = INTERNAL
    member_id: str
    roles: list[str]
    supervises: list[str]
    display_name: str
    language: str
    timezone: str


@dataclass(frozen=True)
class MemberJoined(MemberInvited):
    """Somebody who works at a practice may sign in."""

    type: ClassVar = "member.joined"
    audience: ClassVar = INTERNAL


@dataclass(frozen=True)
class MemberChanged(MemberInvited):
    """A member has another name, language or time zone, other roles, or others to supervise."""

    type: ClassVar = "member.changed"
    audience: ClassVar = INTERNAL
    active: bool


@dataclass(frozen=True)
class MemberSuspended:
    """A member may do nothing any more, whatever tokens they hold."""

    type: ClassVar = "member.suspended"
    audience: ClassVar = INTERNAL
    member_id: str


@dataclass(frozen=True)
class MemberReinstated:
    """A member who was suspended may work again."""

    type: ClassVar = "member.reinstated"
    audience: ClassVar = INTERNAL
    member_id: str


@dataclass(frozen=True)
class MemberRemoved:
    """A member has left for good; episode.transferred tells who has their clients."""

    type: ClassVar = "member.removed"
    audience: ClassVar = INTERNAL
    member_id: str


@dataclass(frozen=True)
class MemberSignedOut:
    """Sign-ins of a member were ended: all those of the last twenty minutes, with when."""

    type: ClassVar = "member.signed_out"
    audience: ClassVar = INTERNAL
    member_id: str
    ended: dict[str, datetime]


@dataclass(frozen=True)
class MemberSnapshot(MemberChanged):
    """A member as they are."""

    type: ClassVar = "member.snapshot"
    audience: ClassVar = INTERNAL
    ended: dict[str, datetime]


EVENTS = (
    MemberInvited,
    MemberJoined,
    MemberChanged,
    MemberSuspended,
    MemberReinstated,
    MemberRemoved,
    MemberSignedOut,
    MemberSnapshot,
)
