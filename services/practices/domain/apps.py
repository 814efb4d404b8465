"""Apps, and what practices allow them."""

import hashlib
import hmac
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.practices.events.apps import AppRegistered, AppSnapshot, GrantGiven, GrantRevoked, GrantSnapshot


class AppNotFound(Exception):
    """There is no such app."""


class GrantNotFound(Exception):
    """There is no such grant."""


class GrantStands(Exception):
    """The app has a grant of this practice already."""


class GrantIsRevoked(Exception):
    """A revoked grant is given again, not changed."""


class TwoSecrets(Exception):
    """An app has at most two secrets that are good."""


@dataclass(kw_only=True)
class App:
    """A developer's program, registered once for the whole platform."""

    id: str
    practice_id: str
    name: str
    secret_hash: str
    description: str = ""
    contact_email: str = ""
    homepage: str | None = None
    earlier_hash: str | None = None
    """Of the secret before, which stays good until it is retired."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @classmethod
    def register(cls, *, secret: str, **about: Any) -> "App":
        app = cls(secret_hash=hash_of(secret), **about)
        app.events.append(AppRegistered(app.id, app.name))
        return app

    def knows(self, secret: str) -> bool:
        given, earlier = hash_of(secret), self.earlier_hash or ""
        # Both, always, so that the time taken does not tell which.
        return hmac.compare_digest(self.secret_hash, given) | hmac.compare_digest(earlier, given)

    def rotate_secret(self, secret: str) -> None:
        """Another one, beside the one before, so that the developer can change over."""
        if self.earlier_hash is not None:
            raise TwoSecrets("Retire the earlier secret first, once the app no longer uses it.")
        self.earlier_hash, self.secret_hash = self.secret_hash, hash_of(secret)

    def retire_secret(self) -> None:
        """The earlier one is no longer good."""
        self.earlier_hash = None

    def snapshot(self) -> AppSnapshot:
        return AppSnapshot(self.id, self.name)


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
    since: dict[str, datetime] = field(default_factory=dict)
    """When each type of event was added, where that was after the grant: nothing before it is told."""
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
        self.given_at, self.revoked_at, self.since = other.given_at, None, {}
        self.givings |= other.givings
        self._say_given()

    def change(
        self, at: datetime, event_types: list[str] | None = None, scopes: list[str] | None = None
    ) -> None:
        """What is left out stays."""
        if not self.stands:
            raise GrantIsRevoked(f"Grant {self.id} is revoked; give the app a grant again.")
        before = self.event_types, self.scopes
        types = self.event_types if event_types is None else event_types
        self.since = {
            type: at if type not in self.event_types else self.since[type]
            for type in types
            if type not in self.event_types or type in self.since
        }
        self.event_types, self.scopes = types, self.scopes if scopes is None else scopes
        if (self.event_types, self.scopes) != before:
            self._say_given()

    def revoke(self, at: datetime) -> None:
        if self.stands:
            self.revoked_at = at
            self.events.append(GrantRevoked(self.id, self.app_id))

    @property
    def stands(self) -> bool:
        return self.revoked_at is None

    def _say_given(self) -> None:
        self.events.append(GrantGiven(**self._about()))

    def snapshot(self) -> GrantSnapshot:
        return GrantSnapshot(**self._about(), active=self.stands)

    def _about(self) -> dict[str, Any]:
        told = ("app_id", "event_types", "scopes", "given_at", "since")
        return {"grant_id": self.id} | {name: getattr(self, name) for name in told}
