"""The practice, who works there, and who is in care.

E-mail addresses are found through `look_up`, a keyed hash of them: no index and no event holds one.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.apps import App
from services.practices.domain.errors import (
    AdulthoodNotDeclared,
    ConsentNotFound,
    CrisisTextMissing,
    LanguageNotOffered,
    NotYourself,
    OnlyOwners,
)
from services.practices.events import (
    ClientConsented,
    ClientConsentWithdrawn,
    ClientEnrolled,
    ClientSnapshot,
    MemberJoined,
    MemberSnapshot,
    MemberSuspended,
    PracticeOpened,
    PracticeSnapshot,
)


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    SUPERVISOR = "supervisor"
    CLINICIAN = "clinician"


OFFICE = frozenset({Role.OWNER, Role.ADMIN})


def normalized(email: str) -> str:
    """The form in which two spellings of one address are equal."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def look_up(email: str, key: bytes) -> str:
    """What an address is found by: HMAC-SHA256, useless to whoever lacks the key."""
    return hmac.new(key, normalized(email).encode(), hashlib.sha256).hexdigest()


@dataclass(kw_only=True)
class Practice:
    """The organisation. It is its own practice: `practice_id` is `id`."""

    id: str
    practice_id: str
    name: str
    timezone: str
    locale: str
    languages: list[str]
    crisis_texts: dict[str, str]
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def open(cls, *, id: str, **about: Any) -> "Practice":
        practice = cls(id=id, practice_id=id, **about)
        practice.events.append(
            PracticeOpened(practice.name, practice.timezone, practice.languages, practice.crisis_texts)
        )
        return practice

    def require_readiness_for(self, language: str) -> None:
        """Nobody is enrolled whom the practice could not tell, in their language, where help is."""
        missing = [code for code in self.languages if not self.crisis_texts.get(code, "").strip()]
        if missing:
            raise CrisisTextMissing(f"Set the practice's crisis text in {', '.join(missing)} first.")
        if language not in self.languages:
            raise LanguageNotOffered(
                f"{language} is not offered here; choose of {', '.join(self.languages)}."
            )

    def snapshot(self) -> PracticeSnapshot:
        return PracticeSnapshot(self.name, self.timezone, self.languages, self.crisis_texts)


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


@dataclass
class Consent:
    """A client's word that an app may hear of them, and when they took it back."""

    given_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.withdrawn_at is None


@dataclass(kw_only=True)
class Client:
    """An adult in care, with the apps that they allow to hear of them."""

    id: str
    practice_id: str
    display_name: str
    email: str
    address: str
    language: str
    timezone: str
    adult_declared_at: datetime
    enrolled_by: str
    consents: dict[str, Consent] = field(default_factory=dict)
    """By app."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def enrol(cls, practice: Practice, *, adult: bool, at: datetime, **about: Any) -> "Client":
        if not adult:
            raise AdulthoodNotDeclared("Declare that the client is an adult; Tandem is not for children.")
        practice.require_readiness_for(about["language"])
        client = cls(practice_id=practice.id, adult_declared_at=at, **about)
        client.events.append(ClientEnrolled(client.id, client.display_name, client.language, client.timezone))
        return client

    def consents_to(self, app_id: str) -> bool:
        return app_id in self.consents and self.consents[app_id].stands

    def consent_to(self, app: App, at: datetime) -> None:
        if not self.consents_to(app.id):
            self.consents[app.id] = Consent(at)
            self.events.append(ClientConsented(self.id, app.id, at))

    def withdraw_consent_to(self, app_id: str, at: datetime) -> None:
        if not self.consents_to(app_id):
            raise ConsentNotFound(f"There is no consent to app {app_id} to withdraw.")
        self.consents[app_id].withdrawn_at = at
        self.events.append(ClientConsentWithdrawn(self.id, app_id))

    def snapshot(self) -> ClientSnapshot:
        given = {app_id: consent.given_at for app_id, consent in self.consents.items()}
        withdrawn = sorted(app_id for app_id in given if not self.consents_to(app_id))
        return ClientSnapshot(self.id, self.display_name, self.language, self.timezone, given, withdrawn)
