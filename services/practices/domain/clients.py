"""Who is in care."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from services.practices.domain.apps import App
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


class ConsentNotFound(Exception):
    """The client has not consented to this app."""


class AdulthoodNotDeclared(Exception):
    """Clients are adults, declared when they are enrolled."""


@dataclass
class Consent:
    """A client's word that an app may hear of them, and when they took it back."""

    given_at: datetime
    withdrawn_at: datetime | None = None

    @property
    def stands(self) -> bool:
        return self.withdrawn_at is None


class ClientStatus(StrEnum):
    INVITED = "invited"
    ACTIVE = "active"


@dataclass(kw_only=True)
class Client(Person):
    """An adult in care, with the apps that they allow to hear of them."""

    adult_declared_at: datetime
    enrolled_by: str
    status: ClientStatus = ClientStatus.ACTIVE
    consents: dict[str, Consent] = field(default_factory=dict)
    """By app."""

    @classmethod
    def enrol(cls, practice: Practice, *, adult: bool, at: datetime, **about: Any) -> "Client":
        if not adult:
            raise AdulthoodNotDeclared("Declare that the client is an adult; Tandem is not for children.")
        practice.require_readiness_for(about["language"])
        client = cls(practice_id=practice.id, adult_declared_at=at, **about)
        client.events.append(ClientEnrolled(client.id, client.display_name, client.language, client.timezone))
        return client

    def accept(self, at: datetime) -> None:
        """By the first sign-in of who was invited."""
        if self.status is ClientStatus.INVITED:
            self.status = ClientStatus.ACTIVE
            self.events.append(ClientJoined(self.id, at))

    @property
    def active(self) -> bool:
        return self.status is ClientStatus.ACTIVE

    @property
    def may_sign_in(self) -> bool:
        return self.status in (ClientStatus.INVITED, ClientStatus.ACTIVE)

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
        about = (self.display_name, self.language, self.timezone)
        return ClientSnapshot(self.id, *about, given, withdrawn, self.ended)

    def _say_signed_out(self) -> None:
        self.events.append(ClientSignedOut(self.id, self.ended))

    def _say_changed(self) -> None:
        self.events.append(ClientChanged(self.id, self.display_name, self.language, self.timezone))
