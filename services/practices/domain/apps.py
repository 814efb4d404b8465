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

    def snapshot(self) -> GrantSnapshot:
        about = (self.app_id, self.event_types, self.scopes, self.given_at)
        return GrantSnapshot(self.id, *about, self.stands)
