"""Signing keys and access tokens.

A key is published as soon as it is made and signs only after `PUBLISHED_FIRST`: by then every
verifier, which keeps what it fetched for five minutes, has it. It stays published until the last
token that it signed has expired. Its private part is stored encrypted.
"""

import json
import logging
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from joserfc import jwt
from joserfc.jwk import ECKey

from services.practices.store.sign_in import SigningKeys
from shared.clock import now
from shared.ids import new_id
from shared.settings import Settings, SettingsRefused
from shared.store.client import Document
from shared.timer import Timer

log = logging.getLogger(__name__)

LIFETIME = timedelta(minutes=10)
PUBLISHED_FIRST = timedelta(minutes=10)
ROTATED_AFTER = timedelta(days=30)
LATE = timedelta(minutes=5)
"""Clocks differ: so much longer than it must an old key stays published."""


@dataclass(frozen=True)
class Subject:
    """Whom a token is about."""

    id: str
    kind: str
    practice_id: str
    sign_in_id: str = ""
    """What a person began by signing in; an app has none."""


def issue(database: Any, settings: Settings, subject: Subject, at: datetime) -> str:
    """An access token (RFC 9068) of `LIFETIME`."""
    key = signing_key(SigningKeys(database).all(), at)
    issued = int(at.timestamp())
    claims = {
        "iss": settings.issuer,
        "aud": settings.audience,
        "sub": subject.id,
        "kind": subject.kind,
        "practice": subject.practice_id,
        "iat": issued,
        "exp": issued + int(LIFETIME.total_seconds()),
        "jti": new_id(),
    }
    if subject.sign_in_id:
        claims["sid"] = subject.sign_in_id
    header = {"alg": "ES256", "typ": "at+jwt", "kid": key["_id"]}
    return jwt.encode(header, claims, _private(key, settings), algorithms=["ES256"])


def signing_key(keys: Sequence[Document], at: datetime) -> Document:
    """The newest that was published long enough ago; the very first signs at once."""
    known = [key for key in keys if key["published_at"] <= at - PUBLISHED_FIRST]
    return known[-1] if known else keys[0]


def outlived(keys: Sequence[Document], at: datetime) -> list[str]:
    """The ids of those whose last token has expired."""
    kept = PUBLISHED_FIRST + LIFETIME + LATE
    return [key["_id"] for key, successor in pairwise(keys) if successor["published_at"] + kept <= at]


def key_set(database: Any) -> dict[str, list[dict[str, str]]]:
    """The published keys (RFC 7517)."""
    return {"keys": [key["public"] for key in SigningKeys(database).all()]}


def rotate(database: Any, settings: Settings, at: datetime) -> str:
    """Publish a new key, named by its thumbprint (RFC 7638)."""
    key = ECKey.generate_key("P-256")
    kid = key.thumbprint()
    public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": "ES256"}
    private = _box(settings).encrypt(json.dumps(key.as_dict(private=True)).encode())
    SigningKeys(database).add(kid, {"public": public, "private": private, "published_at": at})
    log.info("Signing key published", extra={"kid": kid})
    return kid


def make_first(database: Any, settings: Settings) -> None:
    """What `prepare` does: a key where there is none, a sentence where those there cannot be read."""
    if SigningKeys(database).all():
        require_opened(database, settings)
    else:
        rotate(database, settings, now())


def require_opened(database: Any, settings: Settings) -> None:
    """That there are signing keys, and that this secret key opens them."""
    keys = SigningKeys(database).all()
    if not keys:
        raise SettingsRefused("There are no signing keys yet: run prepare first.")
    for key in keys:
        _private(key, settings)


def tend(database: Any, settings: Settings, at: datetime) -> None:
    """A new key for one that has signed for long, and no trace of those outlived."""
    keys = SigningKeys(database).all()
    if keys and keys[-1]["published_at"] <= at - ROTATED_AFTER:
        rotate(database, settings, at)
    for kid in outlived(keys, at):
        SigningKeys(database).remove(kid)
        log.info("Signing key removed", extra={"kid": kid})


keeping_fresh = Timer("signing_keys", lambda database, settings, _: tend(database, settings, now()), rest=60)


def _private(key: Document, settings: Settings) -> ECKey:
    try:
        return ECKey.import_key(json.loads(_box(settings).decrypt(key["private"])))
    except InvalidToken:
        raise SettingsRefused(
            "TANDEM_SECRET_KEY is not the one that the signing keys in the database were stored under: "
            "give the old one, or remove the collection signing_keys, run prepare, and then renew-look-ups, "
            "without which nobody can sign in."
        ) from None


def _box(settings: Settings) -> Fernet:
    return Fernet(urlsafe_b64encode(settings.key("signing")))
