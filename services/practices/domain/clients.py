"""Who is in care."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.addresses import look_up_external
from services.practices.domain.apps import App
from services.practices.domain.consents import (
    EVERYTHING,
    MOST,
    Consent,
    ConsentedOften,
    ConsentNotFound,
    last_of_each,
)
from services.practices.domain.people import Person
from services.practices.domain.practices import Practice
from services.practices.events.clients import (
    ClientChanged,
    ClientConsented,
    ClientConsentWithdrawn,
    ClientEnrolled,
    ClientJoined,
    ClientSignedOut,
    ClientSnapshot,
)


class ClientNotFound(Exception):
    """There is no such client."""


class AdulthoodNotDeclared(Exception):
    """Clients are adults, declared when they are enrolled."""


class JoinedAlready(Exception):
    """Who has joined needs no invitation."""


class ForThePractice(Exception):
    """Only the practice changes who a client is to it."""


class ExternalIdTaken(Exception):
    """The app knows another client of this practice by this id."""


class ClientStatus(StrEnum):
    ENROLLED = "enrolled"
    INVITED = "invited"
    ACTIVE = "active"


FOR_THE_PRACTICE = frozenset({"display_name"})


@dataclass
class EmergencyContact:
    """Whom to reach where the client is in danger."""

    name: str
    phone: str
    relation: str | None = None


@dataclass
class ExternalId:
    """What an app calls this client."""

    app_id: str
    external_id: str


@dataclass(kw_only=True)
class Client(Person):
    """An adult in care, with the apps that they allow to hear of them."""

    adult_declared_at: datetime
    enrolled_by: str
    pronouns: str | None = None
    phone: str | None = None
    emergency_contact: EmergencyContact | None = None
    usual_place: str | None = None
    status: ClientStatus = ClientStatus.ENROLLED
    consents: list[Consent] = field(default_factory=list)
    """All there ever were, in the order in which they were given."""
    external_ids: list[ExternalId] = field(default_factory=list)
    """At most one for each app."""
    external_look_ups: list[str] = field(default_factory=list)
    """Their keyed hashes, by which the client is found."""

    @classmethod
    def enrol(cls, practice: Practice, *, adult: bool, at: datetime, **about: Any) -> "Client":
        if not adult:
            raise AdulthoodNotDeclared("Declare that the client is an adult; Tandem is not for children.")
        practice.require_offered(about["language"])
        client = cls(practice_id=practice.id, adult_declared_at=at, **about)
        client.events.append(ClientEnrolled(**client._told()))
        return client

    def invite(self, practice: Practice, at: datetime) -> None:
        """Ask them in, or ask again."""
        if self.active:
            raise JoinedAlready(f"Client {self.id} has joined; they sign in with their e-mail address.")
        practice.require_crisis_texts()
        self.ask_for_letter(at)
        self.status = ClientStatus.INVITED

    def accept(self, at: datetime) -> None:
        """What the first sign-in does; a later one finds it done."""
        if self.active:
            return
        self.require_good_invitation(at)
        self.status, self.invitation_due = ClientStatus.ACTIVE, None
        self.events.append(ClientJoined(self.id, self.enrolled_by, at))

    def is_invited(self, at: datetime) -> bool:
        return self.invitation is not None and self.invitation.expires_at > at

    @property
    def active(self) -> bool:
        return self.status is ClientStatus.ACTIVE

    def change(self, practice: Practice, by: str, **given: Any) -> None:
        """Only what is given."""
        if by == self.id and not FOR_THE_PRACTICE.isdisjoint(given):
            raise ForThePractice("Ask your practice to change the name that it knows you by.")
        before = self._told()
        for name, value in given.items():
            setattr(self, name, value)
        if "language" in given:
            practice.require_offered(self.language)
        if self._told() != before:
            self.events.append(ClientChanged(**self._told()))

    def correct_address(self, email: str, address: str, at: datetime) -> None:
        """It was written down wrong: whoever was invited there is invited no more."""
        if self.active:
            raise JoinedAlready(f"Client {self.id} has joined; they alone change it, at /v1/me/address.")
        if address != self.address:
            self.withdraw_invitation(at)
            self.status = ClientStatus.ENROLLED
        self.email, self.address = email, address

    def _told(self) -> dict[str, Any]:
        about = {"display_name": self.display_name, "language": self.language, "timezone": self.timezone}
        return {"client_id": self.id, **about}

    def consents_to(self, app_id: str, kind: str | None = None) -> bool:
        """Whether the app may hear of them at all, or of records of this kind."""
        consent = last_of_each(self.consents).get(app_id)
        return consent is not None and consent.stands and (kind is None or kind in consent.covers)

    def consent_to(self, app: App, at: datetime, covers: Sequence[str] = EVERYTHING) -> None:
        """A consent to something else takes the place of the one that stands."""
        covers = sorted({str(kind) for kind in covers})
        before = last_of_each(self.consents).get(app.id)
        if before and before.stands and before.covers == covers:
            return
        if len(self.consents) >= MOST:
            raise ConsentedOften("Ask the practice; a consent can still be withdrawn.")
        if before and before.stands:
            before.withdrawn_at = at
        self.consents.append(Consent(app.id, covers, at))
        self.events.append(ClientConsented(self.id, app.id, at, covers))

    def withdraw_consent_to(self, app_id: str, at: datetime) -> None:
        if not self.consents_to(app_id):
            raise ConsentNotFound(f"There is no consent to app {app_id} to withdraw.")
        last_of_each(self.consents)[app_id].withdrawn_at = at
        self.events.append(ClientConsentWithdrawn(self.id, app_id))

    def link(self, app: App, external_id: str, key: bytes) -> None:
        """The app's own id for this client, in the place of an earlier one."""
        others = [one for one in self.external_ids if one.app_id != app.id]
        self.external_ids = [*others, ExternalId(app.id, external_id)]
        self.look_up_anew(key)

    def unlink(self, app_id: str, key: bytes) -> None:
        self.external_ids = [one for one in self.external_ids if one.app_id != app_id]
        self.look_up_anew(key)

    def look_up_anew(self, key: bytes) -> None:
        self.external_look_ups = [
            look_up_external(one.app_id, one.external_id, key) for one in self.external_ids
        ]

    def as_seen_by_app(self, app_id: str) -> "Client":
        """An app sees no other app's id."""
        return replace(self, external_ids=[one for one in self.external_ids if one.app_id == app_id])

    def snapshot(self) -> ClientSnapshot:
        last = last_of_each(self.consents)
        given = {app_id: consent.given_at for app_id, consent in last.items()}
        withdrawn = [app_id for app_id, consent in last.items() if not consent.stands]
        covers = {app_id: consent.covers for app_id, consent in last.items()}
        return ClientSnapshot(
            **self._told(), consents=given, withdrawn=withdrawn, covers=covers, ended=self.ended
        )

    def _say_signed_out(self) -> None:
        self.events.append(ClientSignedOut(self.id, self.ended))
