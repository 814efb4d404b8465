"""Forged and twisted access tokens: what a verifier refuses, and every route with one and the same answer."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

from joserfc.jwk import ECKey

from tests.issuer import AUDIENCE, ISSUER, Issuer

NOW = int(time.time())
OURS = Issuer()
OTHER = Issuer()
P384 = ECKey.generate_key("P-384")


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def part(value: Any) -> str:
    return b64(json.dumps(value).encode())


def signed(header: dict[str, Any] | str, claims: dict[str, Any] | str) -> str:
    """Rightly signed by us over any text at all, also what no library would write."""
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    head = b64(header.encode()) if isinstance(header, str) else part(header)
    body = b64(claims.encode()) if isinstance(claims, str) else part(claims)
    signature = OURS.key.private_key.sign(f"{head}.{body}".encode(), ECDSA(SHA256()))
    r, s = decode_dss_signature(signature)
    return f"{head}.{body}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


HEAD = {"alg": "ES256", "typ": "at+jwt", "kid": "k1"}


def head(**changes: Any) -> str:
    return signed(
        {name: value for name, value in (HEAD | changes).items() if value is not None}, OURS.claims()
    )


def claim(**changes: Any) -> str:
    return signed(HEAD, {n: v for n, v in (OURS.claims() | changes).items() if v is not None})


def hs256(secret: bytes) -> str:
    text = f"{part(HEAD | {'alg': 'HS256'})}.{part(OURS.claims())}"
    return f"{text}.{b64(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


def twisted(number: int, change: Callable[[str], str]) -> str:
    parts = OURS.token().split(".")
    parts[number] = change(parts[number])
    return ".".join(parts)


def other_payload() -> str:
    return twisted(1, lambda _: part(OURS.claims() | {"sub": "eve"}))


def same_bits_other_text(text: str) -> str:
    """Base64url with other unused bits in its last character: the same bytes, another text."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return text[:-1] + alphabet[alphabet.index(text[-1]) ^ 1]


JWK = OTHER.key.as_dict(private=False)

FORGED: dict[str, str] = {
    "empty": "",
    "no parts": "abc",
    "two parts": "a.b",
    "five parts, as an encrypted one": "a.b.c.d.e",
    "spaces": OURS.token() + " ",
    "line": OURS.token() + "\n",
    "too long": claim(filler="a" * 5000),
    "no base64": "!!.!!.!!",
    "header no JSON": signed("{", OURS.claims()),
    "header a list": signed("[]", OURS.claims()),
    "payload no JSON": signed(HEAD, "{"),
    "payload a list": signed(HEAD, "[]"),
    "payload deep": signed(HEAD, "[" * 3000),
    "header name twice": signed('{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"k1"}', OURS.claims()),
    "claim twice": signed(HEAD, json.dumps(OURS.claims())[:-1] + ', "sub": "eve"}'),
    "alg none": f"{part(HEAD | {'alg': 'none'})}.{part(OURS.claims())}.",
    "alg none with a signature": twisted(0, lambda _: part(HEAD | {"alg": "none"})),
    "alg None": head(alg="None"),
    "alg missing": head(alg=None),
    "alg a list": head(alg=["ES256"]),
    "alg lower case": head(alg="es256"),
    "HS256 with the public key as PEM": hs256(OURS.key.as_pem(private=False)),
    "HS256 with the key set": hs256(json.dumps(OURS.key_set()).encode()),
    "HS256 with the public key as DER": hs256(OURS.key.as_der(private=False)),
    "HS256 with the public key's coordinates": hs256(OURS.key.as_dict(private=False)["x"].encode()),
    "HS256 with its kid": hs256(b"k1"),
    "HS256 with nothing": hs256(b""),
    "HS384": head(alg="HS384"),
    "RS256": head(alg="RS256"),
    "PS256": head(alg="PS256"),
    "ES256K": head(alg="ES256K"),
    "EdDSA": head(alg="EdDSA"),
    "ES512": head(alg="ES512"),
    "alg nOnE": f"{part(HEAD | {'alg': 'nOnE'})}.{part(OURS.claims())}.",
    "alg null": signed(json.dumps(HEAD | {"alg": None}), OURS.claims()),
    "alg empty": head(alg=""),
    "ES384": Issuer().token({"alg": "ES384"}, key=P384),
    "ES256 by another curve's key": twisted(2, lambda _: b64(b"\1" * 96)),
    "typ JWT": head(typ="JWT"),
    "typ missing": head(typ=None),
    "typ of an id token": head(typ="id+jwt"),
    "typ in other letters": head(typ="AT+JWT"),
    "typ a list": head(typ=["at+jwt"]),
    "typ of a logout token": head(typ="logout+jwt"),
    "typ with its prefix": head(typ="application/at+jwt"),
    "kid missing": head(kid=None),
    "kid unknown": head(kid="k2"),
    "kid a path": head(kid="../../dev/null"),
    "kid an address": head(kid="https://evil.test/jwks"),
    "kid a query": head(kid="k1' OR '1'='1"),
    "kid a union": head(kid="x' UNION SELECT 'AAAA"),
    "kid JSON": head(kid='{"$gt": ""}'),
    "kid a command": head(kid="k1|whoami"),
    "kid an address of this machine": head(kid="http://127.0.0.1/.well-known/jwks.json"),
    "kid a file": head(kid="file:///dev/null"),
    "kid in other letters": head(kid="K1"),
    "kid with a space": head(kid="k1 "),
    "kid of another key of ours": OTHER.token({"kid": "k1"}),
    "kid null": signed(json.dumps(HEAD | {"kid": None}), OURS.claims()),
    "kid twice": signed('{"alg":"ES256","typ":"at+jwt","kid":"k2","kid":"k1"}', OURS.claims()),
    "kid a list": head(kid=["k1"]),
    "kid an object": head(kid={"$ne": ""}),
    "kid a number": head(kid=1),
    "kid empty": head(kid=""),
    "kid with NUL": head(kid="k1\0"),
    "its own key in the header": OTHER.token({"jwk": JWK}),
    "the address of its key": OTHER.token({"jku": "https://evil.test/jwks"}),
    "its key in a header that we signed": head(jwk=JWK),
    "x5u": head(x5u="https://evil.test/cert"),
    "x5c": head(x5c=["MIIB"]),
    "x5t": head(x5t="AAAA"),
    "content type": head(cty="JWT"),
    "crit of what is known": head(crit=["kid"]),
    "crit empty": head(crit=[]),
    "b64 true": head(b64=True),
    "crit": head(crit=["exp"]),
    "b64 false": head(b64=False, crit=["b64"]),
    "zip": head(zip="DEF"),
    "by another key": OTHER.token(),
    "tampered payload": other_payload(),
    "no signature": twisted(2, lambda _: ""),
    "signature cut": twisted(2, lambda s: s[:-4]),
    "signature longer": twisted(2, lambda s: s + "AAAA"),
    "signature of zeros": twisted(2, lambda _: b64(bytes(64))),
    "signature as DER": twisted(2, lambda _: b64(b"\x30\x06\x02\x01\x01\x02\x01\x01")),
    "signature in another spelling": twisted(2, same_bits_other_text),
    "padded": twisted(2, lambda s: s + "=="),
    "other issuer": claim(iss="https://evil.test"),
    "issuer with a slash": claim(iss=ISSUER + "/"),
    "issuer a list": claim(iss=[ISSUER]),
    "no issuer": claim(iss=None),
    "issuer in other letters": claim(iss=ISSUER.upper()),
    "issuer without TLS": claim(iss=ISSUER.replace("https", "http")),
    "other audience": claim(aud="smtp"),
    "audience a list": claim(aud=[AUDIENCE]),
    "audience a list of two": claim(aud=[AUDIENCE, "smtp"]),
    "audience empty": claim(aud=""),
    "audience an object": claim(aud={"$ne": ""}),
    "audience in other letters": claim(aud=AUDIENCE.upper()),
    "audience a longer name": claim(aud=AUDIENCE + "s"),
    "no audience": claim(aud=None),
    "expired": claim(iat=NOW - 900, exp=NOW - 1),
    "no expiry": claim(exp=None),
    "expiry in 2100": claim(exp=4102444800),
    "16 minutes": claim(iat=NOW, exp=NOW + 901),
    "expiry a text": claim(exp=str(NOW + 600)),
    "expiry a fraction": claim(exp=NOW + 600.5),
    "expiry true": claim(exp=True),
    "expiry negative": claim(exp=-1),
    "expiry before issue": claim(iat=NOW, exp=NOW - 1),
    "expiry endless": signed(HEAD, json.dumps(OURS.claims()).replace(str(OURS.claims()["exp"]), "Infinity")),
    "expiry beyond all time": claim(exp=10**30),
    "expiry not a number": signed(HEAD, json.dumps(OURS.claims()).replace(str(OURS.claims()["exp"]), "NaN")),
    "expiry null": signed(HEAD, json.dumps(OURS.claims() | {"exp": None})),
    "expiry a list": claim(exp=[NOW + 600]),
    "expiry in another notation": signed(
        HEAD, json.dumps(OURS.claims()).replace(str(OURS.claims()["exp"]), "1e10")
    ),
    "issued null": signed(HEAD, json.dumps(OURS.claims() | {"iat": None})),
    "issued true": claim(iat=True),
    "issued a fraction": claim(iat=NOW - 0.5),
    "issued negative": claim(iat=-NOW),
    "not before true": claim(nbf=True),
    "not before a fraction": claim(nbf=NOW - 0.5),
    "not before zero": claim(nbf=0),
    "not before null": signed(HEAD, json.dumps(OURS.claims() | {"nbf": None})),
    "issued in the future": claim(iat=NOW + 60, exp=NOW + 600),
    "issued never": claim(iat=None),
    "issued as text": claim(iat=str(NOW)),
    "issued at zero": claim(iat=0),
    "not before later": claim(nbf=NOW + 300),
    "not before a text": claim(nbf="0"),
    "no subject": claim(sub=None),
    "subject empty": claim(sub=""),
    "subject an object": claim(sub={"$ne": ""}),
    "subject with NUL": claim(sub="ada\0"),
    "subject long": claim(sub="a" * 129),
    "no practice": claim(practice=None),
    "practice a list": claim(practice=["elm", "oak"]),
    "practice an object": claim(practice={"$gt": ""}),
    "another's practice under one's own signature": twisted(
        1, lambda _: part(OURS.claims() | {"practice": "oak"})
    ),
    "a practice for a number": claim(practice=1),
    "no kind": claim(kind=None),
    "unknown kind": claim(kind="root"),
    "kind a list": claim(kind=["client"]),
    "no id": claim(jti=None),
    "id a number": claim(jti=1),
    "no sign-in": claim(sid=None),
    "sign-in empty": claim(sid=""),
    "sign-in a list": claim(sid=["s1"]),
    "sign-in an object": claim(sid={"$ne": "s1"}),
    "sign-in a number": claim(sid=1),
    "sign-in with NUL": claim(sid="s1\0"),
    "sign-in long": claim(sid="s" * 129),
    "an app's with a sign-in": claim(kind="app"),
    "sign-in twice": signed(HEAD, json.dumps(OURS.claims())[:-1] + ', "sid": "s2"}'),
    "practice twice": signed(HEAD, json.dumps(OURS.claims())[:-1] + ', "practice": "oak"}'),
    "expiry twice": signed(HEAD, json.dumps(OURS.claims())[:-1] + ', "exp": 4102444800}'),
}
