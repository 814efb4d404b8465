"""Who works at a practice."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.people import Person
from services.practices.domain.removals import Removal
from services.practices.domain.second_factors import NotYourOwn, SecondFactor
from services.practices.events.members import (
    MemberChanged,
    MemberInvited,
    MemberJoined,
    MemberReinstated,
    MemberRemoved,
    MemberSignedOut,
    MemberSnapshot,
    MemberSuspended,
)


class MemberNotFound(Exception):
    """There is no such member."""


class OnlyOwners(Exception):
    """Only an owner decides about owners."""


class NotYourself(Exception):
    """Nobody takes their own place away, and only owners give themselves more."""


class StatusForbids(Exception):
    """The member's status does not allow this."""


class NotAClinician(Exception):
    """Who is named here is no active clinician of the practice."""


class NotASupervisor(Exception):
    """Only a supervisor is responsible for clinicians."""


class CaseloadLeft(Exception):
    """A clinician with open episodes stays a clinician."""


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
    REMOVED = "removed"


@dataclass(kw_only=True)
class Member(Person):
    """Somebody who works at a practice."""

    roles: set[Role]
    supervises: set[str] = field(default_factory=set)
    """The clinicians for whom a supervisor is responsible."""
    status: MemberStatus = MemberStatus.ACTIVE
    removal: Removal | None = None
    removal_due: datetime | None = None
    """When to look again for episodes to hand over."""
    second_factor: SecondFactor | None = None

    @classmethod
    def join(cls, **about: Any) -> "Member":
        """Somebody who needs no invitation."""
        member = cls(**about)
        member.events.append(MemberJoined(**member._state()))
        return member

    @classmethod
    def invited(cls, *, at: datetime, **about: Any) -> "Member":
        member = cls(status=MemberStatus.INVITED, **about)
        member.ask_for_letter(at)
        member.events.append(MemberInvited(**member._state()))
        return member

    def invite(self, *, roles: set[Role], at: datetime, **about: Any) -> "Member":
        """Another member; of what roles there are, only an owner's takes an owner to give."""
        self._require_owner_for(roles)
        return Member.invited(practice_id=self.practice_id, roles=roles, at=at, **about)

    def invite_again(self, by: "Member", at: datetime) -> None:
        by._require_owner_for(self.roles)
        self._require(MemberStatus.INVITED, but="only somebody invited gets another invitation")
        self.ask_for_letter(at)

    def accept(self, at: datetime) -> None:
        """What the first sign-in means; of somebody active nothing."""
        if self.active:
            return
        self._require(MemberStatus.INVITED, but="only somebody invited can accept")
        self.require_good_invitation(at)
        self.status, self.invitation_due = MemberStatus.ACTIVE, None
        self.events.append(MemberJoined(**self._state()))

    def is_invited(self, at: datetime) -> bool:
        return self.invited_until is not None and self.invited_until > at

    def introduce(self, **about: str) -> None:
        """How they are called and spoken to: display_name, language, timezone."""
        before = self._state()
        for name, value in about.items():
            setattr(self, name, value)
        self._tell_changes(before)

    def change(
        self,
        by: "Member",
        roles: set[Role] | None = None,
        supervised: Collection["Member"] | None = None,
        caseload: Collection[str] = (),
    ) -> None:
        """Only what is given changes; `caseload`: the open episodes, which only a clinician can have."""
        before = self._state()
        roles = self.roles if roles is None else roles
        supervises = self.supervises if supervised is None else {other.id for other in supervised}
        self._require_may_have(roles, supervises, by)
        if caseload and Role.CLINICIAN not in roles:
            raise CaseloadLeft(f"Transfer the {len(caseload)} open episodes of member {self.id} first.")
        self._require_may_supervise(supervised or (), roles)
        self.supervises = supervises if Role.SUPERVISOR in roles else set()
        self.roles = roles
        self._tell_changes(before)

    def _tell_changes(self, before: dict[str, Any]) -> None:
        if self._state() != before:
            self.events.append(MemberChanged(**self._state(), active=self.active))

    def suspend(self, by: "Member") -> None:
        self._require_may_lose_place(by)
        if self.status is not MemberStatus.SUSPENDED:
            self.require_active()
            self.status = MemberStatus.SUSPENDED
            self.events.append(MemberSuspended(self.id))

    def reinstate(self, by: "Member") -> None:
        by._require_owner_for(self.roles)
        if not self.active:
            self._require(MemberStatus.SUSPENDED, but="only somebody suspended is reinstated")
            self.status = MemberStatus.ACTIVE
            self.events.append(MemberReinstated(self.id))

    def remove(self, by: "Member", removal: Removal, caseload: Collection[str]) -> None:
        """For good: the address is free for another member, who may be the same person."""
        self._require_may_lose_place(by)
        self.require_not_removed()
        if self.id in removal.named:
            raise NotAClinician(f"Member {self.id} is the one who leaves; name somebody else.")
        removal.require_complete(caseload)
        self.status, self.removal, self.removal_due = MemberStatus.REMOVED, removal, removal.at
        # Nobody's look-up of an address is an id, so that the index on it stays unique.
        self.email, self.address, self.invitation_due = "", self.id, None
        self.former_emails, self.letters_due = {}, None
        self.events.append(MemberRemoved(self.id))
        self.reach(None)

    def reset_second_factor(self, by: "Member", sign_ins: Iterable[str], at: datetime) -> None:
        """They enrol another at their next sign-in; these, which the old one began, have ended."""
        if by.id == self.id:
            raise NotYourOwn("Ask another owner or admin of the practice.")
        by._require_owner_for(self.roles)
        self.second_factor = None
        self.end_sign_ins(sign_ins, at)

    def stays(self, sign_in_id: str, began_at: datetime) -> bool:
        """Not where the second factor that began it was reset since."""
        factor = self.second_factor
        return factor is not None and factor.enrolled_at <= began_at and super().stays(sign_in_id, began_at)

    def as_seen_by(self, other: "Member") -> "Member":
        """Contact data is for the office and oneself."""
        return self if other.in_office or other.id == self.id else replace(self, email="")

    def require_active(self) -> None:
        self._require(MemberStatus.ACTIVE, but="only an active member will do")

    def require_not_removed(self) -> None:
        if self.status is MemberStatus.REMOVED:
            raise StatusForbids(f"Member {self.id} was removed; invite them again.")

    def require_active_clinician(self) -> None:
        if not self.cares:
            raise NotAClinician(f"Member {self.id} is no active clinician; name one who is.")

    @property
    def active(self) -> bool:
        return self.status is MemberStatus.ACTIVE

    @property
    def invited_until(self) -> datetime | None:
        """Until when somebody invited can accept."""
        waits = self.status is MemberStatus.INVITED and self.invitation
        return self.invitation.expires_at if waits and self.invitation else None

    @property
    def cares(self) -> bool:
        """Whether they may have episodes."""
        return self.active and Role.CLINICIAN in self.roles

    @property
    def in_office(self) -> bool:
        return self.active and bool(self.roles & OFFICE)

    @property
    def is_owner(self) -> bool:
        return Role.OWNER in self.roles

    def snapshot(self) -> MemberSnapshot:
        return MemberSnapshot(**self._state(), active=self.active, ended=self.ended)

    def _say_signed_out(self) -> None:
        self.events.append(MemberSignedOut(self.id, self.ended))

    def _require_may_supervise(self, supervised: Collection["Member"], roles: set[Role]) -> None:
        if supervised and Role.SUPERVISOR not in roles:
            raise NotASupervisor(f"Make member {self.id} a supervisor, or name nobody to supervise.")
        for other in supervised:
            if other.id == self.id:
                raise NotYourself("Name another supervisor for them: nobody supervises themselves.")
            other.require_not_removed()
            if Role.CLINICIAN not in other.roles:
                raise NotAClinician(f"Member {other.id} is no clinician; only clinicians are supervised.")

    def _require_may_have(self, roles: set[Role], supervises: set[str], by: "Member") -> None:
        self.require_not_removed()
        if (roles, supervises) != (self.roles, self.supervises):
            by._require_owner_for(roles | self.roles)
        if by.id == self.id and self.is_owner and Role.OWNER not in roles:
            raise NotYourself("Ask another owner of the practice.")
        # Who supervises reads what clients write, of which no owner is told as of a broken glass.
        if by.id == self.id and not (by.is_owner or (roles <= self.roles and supervises <= self.supervises)):
            raise NotYourself("Ask an owner for another role, or for somebody to supervise.")

    def _require_may_lose_place(self, by: "Member") -> None:
        if by.id == self.id:
            raise NotYourself("Ask another owner or admin of the practice.")
        by._require_owner_for(self.roles)

    def _require_owner_for(self, roles: set[Role]) -> None:
        if Role.OWNER in roles and not (self.active and self.is_owner):
            raise OnlyOwners("Ask an owner of the practice to do it.")

    def _require(self, status: MemberStatus, but: str) -> None:
        if self.status is not status:
            raise StatusForbids(f"Member {self.id} is {self.status}; {but}.")

    def _state(self) -> dict[str, Any]:
        return {
            "member_id": self.id,
            "roles": sorted(self.roles),
            "supervises": sorted(self.supervises),
            "display_name": self.display_name,
            "language": self.language,
            "timezone": self.timezone,
        }
