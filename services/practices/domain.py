"""The rules of practices: people, care between them, and what apps are allowed.

E-mail addresses are found through `look_up`, a keyed hash of them: no index and no event holds one.
"""

import hashlib
import hmac
import unicodedata
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.events import (
    AppRegistered,
    ClientConsented,
    ClientConsentWithdrawn,
    ClientEnrolled,
    EpisodeStarted,
    GrantGiven,
    GrantRevoked,
    MemberJoined,
    MemberSuspended,
    PracticeOpened,
)


class PracticeNotFound(Exception):
    """There is no such practice."""


class MemberNotFound(Exception):
    """There is no such member."""


class ClientNotFound(Exception):
    """There is no such client."""


class EpisodeNotFound(Exception):
    """There is no such episode."""


class AppNotFound(Exception):
    """There is no such app."""


class GrantNotFound(Exception):
    """There is no such grant."""


class ConsentNotFound(Exception):
    """The client has not consented to this app."""


class AddressTaken(Exception):
    """Somebody here already has this e-mail address."""


class CrisisTextMissing(Exception):
    """A practice without a crisis text in each of its languages cannot enrol clients."""


class LanguageNotOffered(Exception):
    """The practice does not offer this language."""


class AdulthoodNotDeclared(Exception):
    """Clients are adults, declared when they are enrolled."""


class OnlyOwners(Exception):
    """Only an owner invites or suspends an owner."""


class NotYourself(Exception):
    """Nobody suspends themselves, so that a practice always keeps an owner."""


class NotAClinician(Exception):
    """Only an active clinician of the practice can have an episode."""


class NotYourEpisode(Exception):
    """A clinician starts episodes of their own; owners and admins start them for others."""


class GrantStands(Exception):
    """The app has a grant of this practice already."""


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
    consents: dict[str, datetime] = field(default_factory=dict)
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

    def consent_to(self, app: "App", at: datetime) -> None:
        if app.id not in self.consents:
            self.consents[app.id] = at
            self.events.append(ClientConsented(self.id, app.id, at))

    def withdraw_consent_to(self, app_id: str) -> None:
        if self.consents.pop(app_id, None) is None:
            raise ConsentNotFound(f"There is no consent to app {app_id} to withdraw.")
        self.events.append(ClientConsentWithdrawn(self.id, app_id))


class EpisodeStatus(StrEnum):
    ACTIVE = "active"


@dataclass(kw_only=True)
class Episode:
    """One client's work with one clinician, from its start to its end."""

    id: str
    practice_id: str
    client_id: str
    clinician_id: str
    started_at: datetime
    status: EpisodeStatus = EpisodeStatus.ACTIVE
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def start(cls, *, id: str, client: Client, clinician: Member, by: Member, at: datetime) -> "Episode":
        if clinician.id != by.id and not by.in_office:
            raise NotYourEpisode("Ask an owner or admin of the practice to start it for another clinician.")
        if not clinician.active or Role.CLINICIAN not in clinician.roles:
            raise NotAClinician(f"Member {clinician.id} is no active clinician; name one who is.")
        episode = cls(
            id=id,
            practice_id=client.practice_id,
            client_id=client.id,
            clinician_id=clinician.id,
            started_at=at,
        )
        episode.events.append(EpisodeStarted(id, client.id, clinician.id))
        return episode


@dataclass(kw_only=True)
class App:
    """A developer's program, registered once for the whole platform."""

    id: str
    practice_id: str
    name: str
    secret_hash: str
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def register(cls, *, id: str, practice_id: str, name: str, secret: str) -> "App":
        app = cls(id=id, practice_id=practice_id, name=name, secret_hash=hash_of(secret))
        app.events.append(AppRegistered(id, name))
        return app

    def knows(self, secret: str) -> bool:
        return hmac.compare_digest(self.secret_hash, hash_of(secret))


def hash_of(secret: str) -> str:
    """Enough for secrets that are long and random: nobody guesses what to hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


@dataclass(kw_only=True)
class Grant:
    """What one practice allows one app: one aggregate, given and revoked any number of times."""

    id: str
    practice_id: str
    app_id: str
    event_types: list[str]
    scopes: list[str]
    given_at: datetime
    givings: dict[str, str | None]
    """The requests that gave it, with the fingerprint of each body: a repeat finds what it gave."""
    revoked_at: datetime | None = None
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def give(cls, **about: Any) -> "Grant":
        grant = cls(**about)
        grant._say_given()
        return grant

    def give_again(self, other: "Grant") -> None:
        if self.stands:
            raise GrantStands(f"Revoke grant {self.id} before giving the app another.")
        self.event_types, self.scopes = other.event_types, other.scopes
        self.given_at, self.revoked_at = other.given_at, None
        self.givings |= other.givings
        self._say_given()

    def revoke(self, at: datetime) -> None:
        if self.stands:
            self.revoked_at = at
            self.events.append(GrantRevoked(self.id, self.app_id))

    @property
    def stands(self) -> bool:
        return self.revoked_at is None

    def _say_given(self) -> None:
        self.events.append(GrantGiven(self.id, self.app_id, self.event_types, self.scopes, self.given_at))
