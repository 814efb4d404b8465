"""Access tokens: ES256 JWTs (RFC 9068), verified offline with the keys that practices publishes.

Libraries let a wrong `typ`, an expiry in 2100 and any text as `kid` pass; here a token must be
exactly what practices issues: header alg, typ, kid and no more; every claim of its own type and
bounded; a lifetime of 15 minutes at most. `kid` only ever looks up a key already fetched.
"""

import base64
import binascii
import hashlib
import json
import logging
import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, cast
from urllib.request import ProxyHandler, build_opener

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey

from shared.security.caller import KINDS, Caller, Kind

LIFETIME = 15 * 60
"""Seconds from `iat` to `exp`, at most."""
SKEW = 5
"""Seconds by which the issuer's clock may be ahead of ours; never added to a lifetime."""
FRESH = 5 * 60
"""Seconds after which the keys are fetched again."""
STALE = 24 * 60 * 60
"""Seconds for which keys are kept while practices does not answer."""
PAUSE, PAUSE_AT_FIRST = 10, 1
"""Seconds between two attempts to fetch, whatever callers send; at first while there are no keys at all."""
REMEMBERED = 10_000
"""Verified tokens kept, since verifying one takes about 100 µs."""

Claims = dict[str, Any]
_LONGEST = 4_096
_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_log = logging.getLogger(__name__)


class TokenRefused(Exception):
    """The access token is not valid here."""


class KeysUnavailable(Exception):
    """Access tokens cannot be verified at present."""


class Keys:
    """The issuer's public keys by `kid`; stale ones are kept while the issuer is away."""

    def __init__(
        self, load: Callable[[], Mapping[str, Any]], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._load = load
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: dict[str, ECKey] = {}
        self._loaded_at = self._tried_at = float("-inf")

    def find(self, kid: str) -> ECKey | None:
        if self._age() > FRESH or kid not in self._keys:
            self._refresh()
        if self._age() > STALE:
            raise KeysUnavailable("The signing keys could not be fetched; try again in a moment.")
        return self._keys.get(kid)

    def known(self) -> bool:
        """Whether there are any; fetches them where there are none yet."""
        if not self._keys:
            self._refresh()
        return bool(self._keys)

    def _age(self) -> float:
        return self._clock() - self._loaded_at

    def _refresh(self) -> None:
        # Only who has no keys at all waits for another thread's fetch.
        if not self._lock.acquire(blocking=not self._keys):
            return
        try:
            if self._clock() - self._tried_at >= (PAUSE if self._keys else PAUSE_AT_FIRST):
                self._load_anew()
        except Exception:  # noqa: BLE001 (network, JSON, database: whatever it is, the old keys stay)
            _log.warning("Signing keys could not be fetched", exc_info=True)
        finally:
            self._lock.release()

    def _load_anew(self) -> None:
        try:
            self._keys = _usable(self._load())
            self._loaded_at = self._clock()
        finally:
            # Counted from its end: those who waited for a fetch that failed do not each make another.
            self._tried_at = self._clock()


def published_at(url: str) -> Callable[[], Mapping[str, Any]]:
    """A loader of the key set (RFC 7517) at this address, which is of the platform: no proxy between."""
    opener = build_opener(ProxyHandler({}))

    def load() -> Mapping[str, Any]:
        with opener.open(url, timeout=2) as answer:
            return cast(Mapping[str, Any], json.loads(answer.read(65_536)))

    return load


def _usable(key_set: Mapping[str, Any]) -> dict[str, ECKey]:
    keys = {jwk["kid"]: _public(jwk) for jwk in key_set["keys"] if _signs_with_es256(jwk)}
    if not keys:
        raise ValueError("no key for ES256 in the key set")
    return keys


def _signs_with_es256(jwk: Mapping[str, Any]) -> bool:
    return (
        isinstance(jwk.get("kid"), str)
        and (jwk.get("kty"), jwk.get("crv")) == ("EC", "P-256")
        and jwk.get("use", "sig") == "sig"
        and jwk.get("alg", "ES256") == "ES256"
    )


def _public(jwk: Mapping[str, Any]) -> ECKey:
    return ECKey.import_key({"kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"]})


class _Verified(NamedTuple):
    caller: Caller
    expires: int
    kid: str
    key: ECKey


class Verifier:
    """Turns an access token into its `Caller`, or refuses it."""

    def __init__(
        self, keys: Keys, issuer: str, audience: str, clock: Callable[[], float] = time.time
    ) -> None:
        self._keys = keys
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._remembered: OrderedDict[bytes, _Verified] = OrderedDict()
        self._lock = threading.Lock()

    def has_keys(self) -> bool:
        """Whether tokens can be verified at all: until then, no request shall come here."""
        return self._keys.known()

    def verify(self, token: str) -> Caller:
        """Raises `TokenRefused`, or `KeysUnavailable` where it cannot be told."""
        if len(token) > _LONGEST or not _COMPACT.fullmatch(token):
            raise TokenRefused("not a compact JWT")
        digest = hashlib.sha256(token.encode()).digest()
        verified = self._recall(digest) or self._check(token)
        if verified.expires <= self._clock():
            raise TokenRefused("expired")
        self._remember(digest, verified)
        return verified.caller

    def _recall(self, digest: bytes) -> _Verified | None:
        with self._lock:
            verified = self._remembered.get(digest)
        # A key set fetched anew holds new keys, so a token is verified again after each rotation.
        known = verified is not None and self._keys.find(verified.kid) is verified.key
        return verified if known else None

    def _remember(self, digest: bytes, verified: _Verified) -> None:
        with self._lock:
            self._remembered[digest] = verified
            self._remembered.move_to_end(digest)
            if len(self._remembered) > REMEMBERED:
                self._remembered.popitem(last=False)

    def _check(self, token: str) -> _Verified:
        header, payload, _ = token.split(".")
        kid = _kid(_json(header))
        claims = _json(payload)
        key = self._keys.find(kid)
        if key is None:
            raise TokenRefused("unknown kid")
        try:
            jws.deserialize_compact(token, key, algorithms=["ES256"])
        except (JoseError, ValueError) as error:
            raise TokenRefused("wrong signature") from error
        return self._read(claims, kid, key)

    def _read(self, claims: Claims, kid: str, key: ECKey) -> _Verified:
        if claims.get("iss") != self._issuer or claims.get("aud") != self._audience:
            raise TokenRefused("of another issuer or for another audience")
        issued, expires = _time(claims, "iat"), _time(claims, "exp")
        if not 0 < expires - issued <= LIFETIME:
            raise TokenRefused("a lifetime that practices never gives")
        if issued > self._clock() + SKEW:
            raise TokenRefused("from the future")
        if "nbf" in claims and _time(claims, "nbf") > self._clock() + SKEW:
            raise TokenRefused("not valid yet")
        kind = _text(claims, "kind")
        if kind not in KINDS:
            raise TokenRefused("of an unknown kind")
        caller = Caller(
            id=_text(claims, "sub"),
            kind=cast(Kind, kind),
            practice_id=_text(claims, "practice"),
            token_id=_text(claims, "jti"),
            sign_in_id=_sign_in(claims, kind),
        )
        return _Verified(caller, expires, kid, key)


def _kid(header: Claims) -> str:
    # Exactly these three: no jwk, jku, x5u, crit or b64 can have a meaning (RFC 8725, 3.1 and 3.10).
    if header.keys() != {"alg", "typ", "kid"} or (header["alg"], header["typ"]) != ("ES256", "at+jwt"):
        raise TokenRefused("another header than practices writes")
    return _text(header, "kid")


def _json(part: str) -> Claims:
    try:
        found = json.loads(_decoded(part), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise TokenRefused("not JSON") from error
    if not isinstance(found, dict):
        raise TokenRefused("not a JSON object")
    return found


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError) as error:
        raise TokenRefused("not base64url") from error


def _once(pairs: list[tuple[str, Any]]) -> Claims:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise TokenRefused("a name twice in one object")
    return found


def _text(claims: Claims, name: str) -> str:
    value = claims.get(name)
    if not (isinstance(value, str) and 1 <= len(value) <= 128 and value.isprintable()):
        raise TokenRefused(f"{name} is not a short text")
    return value


def _sign_in(claims: Claims, kind: str) -> str:
    """Which one a person came by; apps have none, so that theirs is nobody's."""
    if kind == "app" and "sid" in claims:
        raise TokenRefused("an app's, with a sign-in")
    return "" if kind == "app" else _text(claims, "sid")


def _time(claims: Claims, name: str) -> int:
    value = claims.get(name)
    if type(value) is not int or not 0 < value < 2**40:
        raise TokenRefused(f"{name} is not a time in whole seconds")
    return value
