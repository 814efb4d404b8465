"""Who works at a practice."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from services.practices.events.members import MemberJoined, MemberSnapshot, MemberSuspended


class MemberNotFound(Exception):
    """There is no such member."""


class OnlyOwners(Exception):
    """Only an owner invites or suspends an owner."""


class NotYourself(Exception):
    """Nobody suspends themselves, so that a practice always keeps an owner."""


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    CLINICIAN = "clinician"


OFFICE = frozenset({Role.OWNER, Role.ADMIN})


class MemberStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(kw_only=True)
class Member:
    """Somebody who works at a practice."""

    id: str
    practice_id: str
    display_name: str
    email: str
    address: str
    roles: set[Role]
    language: str
    timezone: str
    status: MemberStatus = MemberStatus.ACTIVE
    supervises: set[str] = field(default_factory=set)
    """The clinicians for whom a supervisor answers."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def join(cls, **about: Any) -> "Member":
        member = cls(**about)
        member.events.append(
            MemberJoined(
                member.id, sorted(member.roles), member.display_name, member.language, member.timezone
            )
        )
        return member

    def invite(self, **about: Any) -> "Member":
        """Another member, whose rights never exceed those of the one who invites."""
        if Role.OWNER in about["roles"] and Role.OWNER not in self.roles:
            raise OnlyOwners("Ask an owner of the practice to invite an owner.")
        return Member.join(practice_id=self.practice_id, **about)

    def suspend(self, by: "Member") -> None:
        if by.id == self.id:
            raise NotYourself("Ask another owner or admin of the practice.")
        if Role.OWNER in self.roles and Role.OWNER not in by.roles:
            raise OnlyOwners("Ask an owner of the practice to suspend an owner.")
        if self.active:
            self.status = MemberStatus.SUSPENDED
            self.events.append(MemberSuspended(self.id))

    def as_seen_by(self, other: "Member") -> "Member":
        """Contact data is for the office and oneself."""
        return self if other.in_office or other.id == self.id else replace(self, email="")

    @property
    def active(self) -> bool:
        return self.status is MemberStatus.ACTIVE

    @property
    def in_office(self) -> bool:
        return self.active and bool(self.roles & OFFICE)

    def snapshot(self) -> MemberSnapshot:
        about = (self.display_name, self.language, self.timezone)
        return MemberSnapshot(self.id, sorted(self.roles), *about, self.active)
