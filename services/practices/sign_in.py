"""Signing in: one-time codes by mail, and what is exchanged for tokens (RFC 6749).

Rules kept here:

- asking costs and says the same for known and unknown addresses;
- a code is a keyed hash, of one address, for ten minutes, five tries and one use;
- of a signing-in one refresh token is good at a time, and an old one seen again ends it.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import Fernet

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import hash_of
from services.practices.domain.clients import Client
from services.practices.domain.members import Member
from services.practices.store.apps import Apps, Grants
from services.practices.store.people import Clients, Members
from services.practices.store.sign_in import Code, RefreshTokens, SignIns
from services.practices.tokens import LIFETIME, Subject, issue
from shared.ids import PLATFORM, derived_from, new_id
from shared.settings import Settings
from shared.store.client import Document

CODE_LIFETIME = timedelta(minutes=10)
TRIES = 5
CODES = 5
CODES_WITHIN = timedelta(hours=1)
SIGNED_IN_FOR = timedelta(days=30)


class TokenDenied(Exception):
    """The request for a token is refused; `error` is the code that RFC 6749, 5.2 names."""

    error = "invalid_request"
    standings: Sequence[Subject] = ()


class GrantTypeUnknown(TokenDenied):
    error = "unsupported_grant_type"


class NothingToExchange(TokenDenied):
    """The code, or the refresh token, is wrong, used or too old."""

    error = "invalid_grant"


class AppUnknown(TokenDenied):
    error = "invalid_client"


class PracticeNotGranted(TokenDenied):
    error = "invalid_target"
    """RFC 8707, 2: the app asks for a practice that did not grant it anything."""


class StandingRequired(TokenDenied):
    """One person, several standings: the code stays good for the next request, which names one."""

    error = "standing_required"

    def __init__(self, standings: Sequence[Subject]) -> None:
        super().__init__("Repeat the request with practice_id and kind of one of the standings.")
        self.standings = standings


@dataclass(frozen=True)
class Tokens:
    """What is given in exchange."""

    access_token: str
    refresh_token: str | None = None
    token_type: str = "Bearer"  # noqa: S105  (the name of a scheme)
    expires_in: int = int(LIFETIME.total_seconds())


class SignIn:
    """Signing in to one deployment: its database, its keys."""

    def __init__(self, database: Any, settings: Settings) -> None:
        self._database = database
        self._settings = settings

    def ask(self, email: str, at: datetime) -> None:
        """A code for the address, whoever's it is, unless it had too many of late."""
        address, id, code = self.address(email), new_id(), f"{secrets.randbelow(10**8):08}"
        made = Code(
            id=id,
            digest=self._digest(address, id, code),
            made_at=at,
            expires_at=at + CODE_LIFETIME,
            sealed=self._box().encrypt(code.encode()),
        )
        SignIns(self._database).ask(address, made, CODES, CODES_WITHIN)

    def by_code(
        self, email: str, code: str, practice_id: str | None, kind: str | None, at: datetime
    ) -> Tokens:
        address, sign_ins = self.address(email), SignIns(self._database)
        matching = self._matching(address, code, sign_ins.try_codes(address, at))
        if matching is None:
            raise NothingToExchange("The code is wrong, used or too old; ask for a new one.")
        standings = [
            standing
            for standing in map(_standing, self.people(address))
            if practice_id in (None, standing.practice_id) and kind in (None, standing.kind)
        ]
        if len(standings) > 1:
            sign_ins.forgive_try(address, matching)
            raise StandingRequired(standings)
        if not standings or not sign_ins.use(address, matching, at):
            raise NothingToExchange("The code is wrong, used or too old; ask for a new one.")
        return self._begin(standings[0], at)

    def by_refresh_token(self, token: str, at: datetime) -> Tokens:
        family, _, secret = token.partition(".")
        refresh_tokens, following = RefreshTokens(self._database), secrets.token_urlsafe(32)
        access_token = self._token_of_family(refresh_tokens.find(hash_of(family)), at)
        # Last, since what follows a rotation may fail, and the repeat would look like a thief's.
        rotated = refresh_tokens.rotate(hash_of(family), hash_of(secret), hash_of(following), at)
        if access_token is None or not rotated:
            # Somebody else has the token that came after this one: neither is trusted any more.
            refresh_tokens.revoke(hash_of(family), at)
            raise NothingToExchange("The refresh token is used, revoked or too old; sign in again.")
        return Tokens(access_token, f"{family}.{following}")

    def _token_of_family(self, found: Document | None, at: datetime) -> str | None:
        if found is None:
            return None
        subject = Subject(found["subject"], found["kind"], found["practice_id"])
        return self._token(subject, at) if self._still_stands(subject) else None

    def by_client_credentials(
        self, app_id: str, secret: str, practice_id: str | None, at: datetime
    ) -> Tokens:
        app = Apps(self._database).find(PLATFORM, app_id)
        if app is None or not app.knows(secret):
            raise AppUnknown("There is no app with this id and secret.")
        if practice_id is not None:
            grant = Grants(self._database).find(practice_id, grant_id(practice_id, app_id))
            if grant is None or not grant.stands:
                raise PracticeNotGranted("This practice has not granted the app anything.")
        return Tokens(self._token(Subject(app_id, "app", practice_id or PLATFORM), at))

    def address(self, email: str) -> str:
        return look_up(email, self._settings.key("email"))

    def people(self, address: str) -> list[Member | Client]:
        """Those who may come in with this address, everywhere."""
        return [
            *Members(self._database).with_address(address),
            *Clients(self._database).with_address(address),
        ]

    def unsealed(self, code: Code) -> str:
        """What the mail will say."""
        return self._box().decrypt(code.sealed or b"").decode()

    def _matching(self, address: str, given: str, codes: Sequence[Code]) -> Code | None:
        found = None
        for code in codes:
            same = hmac.compare_digest(code.digest, self._digest(address, code.id, given))
            if same and code.tries < TRIES:
                found = code
        return found

    def _begin(self, subject: Subject, at: datetime) -> Tokens:
        family, secret = secrets.token_urlsafe(24), secrets.token_urlsafe(32)
        about: Document = {
            "practice_id": subject.practice_id,
            "subject": subject.id,
            "kind": subject.kind,
            "current": hash_of(secret),
            "began_at": at,
            "expires_at": at + SIGNED_IN_FOR,
        }
        RefreshTokens(self._database).add(hash_of(family), about)
        return Tokens(self._token(subject, at), f"{family}.{secret}")

    def _still_stands(self, subject: Subject) -> bool:
        if subject.kind == "client":
            return Clients(self._database).look(subject.practice_id, subject.id) is not None
        member = Members(self._database).look(subject.practice_id, subject.id)
        return member is not None and member.active

    def _token(self, subject: Subject, at: datetime) -> str:
        return issue(self._database, self._settings, subject, at)

    def _digest(self, address: str, id: str, code: str) -> str:
        parts = f"{address}/{id}/{code}".encode()
        return hmac.new(self._settings.key("sign-in"), parts, hashlib.sha256).hexdigest()

    def _box(self) -> Fernet:
        return Fernet(urlsafe_b64encode(self._settings.key("letters")))


def _standing(person: Member | Client) -> Subject:
    return Subject(person.id, "member" if isinstance(person, Member) else "client", person.practice_id)


def grant_id(practice_id: str, app_id: str) -> str:
    """One grant for each practice and app."""
    return derived_from(practice_id, "grant", app_id)
