"""Who is in care."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.practices.domain.apps import App
from services.practices.domain.invitations import Invited
from services.practices.domain.practices import Practice
from services.practices.events.clients import (
    ClientConsented,
    ClientConsentWithdrawn,
    ClientEnrolled,
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


@dataclass(kw_only=True)
class Client(Invited):
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
    external_ids: dict[str, str] = field(default_factory=dict)
    """What apps call them, by app."""
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
