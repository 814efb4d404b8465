"""Who works at a practice."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.people import Person
from services.practices.domain.second_factors import NotYourOwn, SecondFactor
from services.practices.events.members import (
    MemberChanged,
    MemberJoined,
    MemberSignedOut,
    MemberSnapshot,
    MemberSuspended,
)


class MemberNotFound(Exception):
    """There is no such member."""


class OnlyOwners(Exception):
    """Only an owner invites, suspends or lets in anew an owner."""


class NotYourself(Exception):
    """Nobody suspends themselves, so that a practice always keeps an owner."""


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    CLINICIAN = "clinician"


OFFICE = frozenset({Role.OWNER, Role.ADMIN})


class MemberStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"


@dataclass(kw_only=True)
class Member(Person):
    """Somebody who works at a practice."""

    roles: set[Role]
    status: MemberStatus = MemberStatus.ACTIVE
    second_factor: SecondFactor | None = None

    @classmethod
    def join(cls, **about: Any) -> "Member":
        member = cls(**about)
        member._say_joined()
        return member

    def accept(self, at: datetime) -> None:
        """By the first sign-in of who was invited."""
        if self.status is MemberStatus.INVITED:
            self.status = MemberStatus.ACTIVE
            self._say_joined()

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

    def reset_second_factor(self, by: "Member", sign_ins: Iterable[str], at: datetime) -> None:
        """They enrol another at their next sign-in; these, which the old one began, have ended."""
        if by.id == self.id:
            raise NotYourOwn("Ask another owner or admin of the practice.")
        if Role.OWNER in self.roles and Role.OWNER not in by.roles:
            raise OnlyOwners("Ask an owner of the practice to reset an owner's second factor.")
        self.second_factor = None
        self.end_sign_ins(sign_ins, at)

    def stays(self, sign_in_id: str, began_at: datetime) -> bool:
        """Not where the second factor that began it was reset since."""
        factor = self.second_factor
        return factor is not None and factor.enrolled_at <= began_at and super().stays(sign_in_id, began_at)

    def as_seen_by(self, other: "Member") -> "Member":
        """Contact data is for the office and oneself."""
        return self if other.in_office or other.id == self.id else replace(self, email="")

    @property
    def active(self) -> bool:
        return self.status is MemberStatus.ACTIVE

    @property
    def may_sign_in(self) -> bool:
        return self.status in (MemberStatus.INVITED, MemberStatus.ACTIVE)

    @property
    def in_office(self) -> bool:
        return self.active and bool(self.roles & OFFICE)

    def snapshot(self) -> MemberSnapshot:
        about = (self.display_name, self.language, self.timezone)
        return MemberSnapshot(self.id, sorted(self.roles), *about, self.active, self.ended)

    def _say_joined(self) -> None:
        about = (self.display_name, self.language, self.timezone)
        self.events.append(MemberJoined(self.id, sorted(self.roles), *about))

    def _say_signed_out(self) -> None:
        self.events.append(MemberSignedOut(self.id, self.ended))

    def _say_changed(self) -> None:
        self.events.append(MemberChanged(self.id, self.display_name, self.language, self.timezone))
