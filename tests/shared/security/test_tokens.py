"""Access tokens: one form is accepted, every other refused."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jwk import ECKey

from shared.security import tokens
from shared.security.caller import Caller
from shared.security.tokens import Keys, KeysUnavailable, TokenRefused, Verifier
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
    "HS256 with nothing": hs256(b""),
    "ES384": Issuer().token({"alg": "ES384"}, key=P384),
    "ES256 by another curve's key": twisted(2, lambda _: b64(b"\1" * 96)),
    "typ JWT": head(typ="JWT"),
    "typ missing": head(typ=None),
    "typ of an id token": head(typ="id+jwt"),
    "typ with its prefix": head(typ="application/at+jwt"),
    "kid missing": head(kid=None),
    "kid unknown": head(kid="k2"),
    "kid a path": head(kid="../../dev/null"),
    "kid an address": head(kid="https://evil.test/jwks"),
    "kid a query": head(kid="k1' OR '1'='1"),
    "kid a list": head(kid=["k1"]),
    "kid an object": head(kid={"$ne": ""}),
    "kid a number": head(kid=1),
    "kid empty": head(kid=""),
    "kid with NUL": head(kid="k1\0"),
    "its own key in the header": OTHER.token({"jwk": JWK}),
    "the address of its key": OTHER.token({"jku": "https://evil.test/jwks"}),
    "x5u": head(x5u="https://evil.test/cert"),
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
    "other audience": claim(aud="smtp"),
    "audience a list": claim(aud=[AUDIENCE]),
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
    "no kind": claim(kind=None),
    "unknown kind": claim(kind="root"),
    "kind a list": claim(kind=["client"]),
    "no id": claim(jti=None),
    "id a number": claim(jti=1),
}


@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_forged_or_twisted_token_is_refused(token: str) -> None:
    # At the time when they were made, or all would be refused as expired by and by.
    verifier = Verifier(Keys(OURS.key_set), ISSUER, AUDIENCE, lambda: float(NOW))

    for _ in range(2):
        with pytest.raises(TokenRefused):
            verifier.verify(token)


def test_good_token_is_its_caller() -> None:
    assert OURS.verifier().verify(OURS.token()) == Caller("ada", "client", "elm", "t1")
    assert OURS.verifier().verify(head()) == Caller("ada", "client", "elm", "t1")


def test_clock_a_little_behind_the_issuer_is_no_fault() -> None:
    assert OURS.verifier().verify(OURS.token(iat=int(time.time()) + 3, exp=int(time.time()) + 300))


def test_token_verified_before_is_refused_once_expired() -> None:
    clock = [float(NOW)]
    verifier = Verifier(Keys(OURS.key_set), ISSUER, AUDIENCE, lambda: clock[0])
    token = OURS.token(iat=NOW, exp=NOW + 10)
    verifier.verify(token)

    clock[0] = NOW + 9.9
    verifier.verify(token)
    clock[0] = NOW + 10
    with pytest.raises(TokenRefused):
        verifier.verify(token)


def test_verified_tokens_are_remembered_but_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "REMEMBERED", 2)
    verifier = OURS.verifier()
    checked: list[str] = []
    check = verifier._check
    monkeypatch.setattr(verifier, "_check", lambda token: checked.append(token) or check(token))
    first, second, third = (OURS.token(jti=name) for name in ("a", "b", "c"))

    for token in (first, first, second, first, third, first, second):
        verifier.verify(token)

    assert checked == [first, second, third, second]


class Away(Exception):
    pass


class Source:
    """A key set that counts how often it is asked for, and can be away."""

    def __init__(self) -> None:
        self.issuers = [OURS]
        self.asked = 0
        self.away = False
        self.now = 0.0
        self.keys = Keys(self.load, lambda: self.now)

    def load(self) -> dict[str, Any]:
        self.asked += 1
        if self.away:
            raise Away
        return {"keys": [key for issuer in self.issuers for key in issuer.key_set()["keys"]]}


def test_a_fetch_that_hangs_and_fails_is_not_made_again_by_each_who_waited_for_it() -> None:
    source = Source()

    def hang() -> dict[str, Any]:
        source.asked += 1
        source.now += 2.0
        raise Away

    keys = Keys(hang, lambda: source.now)
    assert [keys.known() for _ in range(8)] == [False] * 8
    assert source.asked == 1


def test_keys_are_fetched_again_after_five_minutes() -> None:
    source = Source()
    for source.now in (0.0, 299.0, 301.0, 400.0):
        assert source.keys.find("k1")

    assert source.asked == 2


def test_until_there_are_keys_they_are_asked_for_each_second() -> None:
    source = Source()
    verifier = Verifier(source.keys, ISSUER, AUDIENCE)
    source.away = True
    for source.now in (0.0, 0.5, 1.0, 1.5, 2.0):
        assert not verifier.has_keys()
    assert source.asked == 3

    source.away, source.now = False, 3.0
    assert verifier.has_keys()
    source.away, source.now = True, 1_000_000.0
    assert verifier.has_keys()


def test_unknown_kids_make_one_fetch_in_ten_seconds() -> None:
    source = Source()
    source.keys.find("k1")
    for source.now in (11.0, 12.0, 20.0, 22.0):
        for number in range(50):
            assert source.keys.find(f"x{number}") is None

    assert source.asked == 3


def test_new_key_is_found_at_once_and_a_withdrawn_one_refused() -> None:
    source = Source()
    new = Issuer("k2")
    verifier = Verifier(source.keys, ISSUER, AUDIENCE)
    verifier.verify(OURS.token(jti="old"))

    source.issuers, source.now = [new], 11.0
    verifier.verify(new.token())

    for token in (OURS.token(jti="old"), OURS.token()):
        with pytest.raises(TokenRefused):
            verifier.verify(token)


def test_keys_are_kept_for_a_day_while_practices_is_away() -> None:
    source = Source()
    source.keys.find("k1")
    source.away = True

    source.now = 86_300.0
    assert source.keys.find("k1")
    source.now = 86_401.0
    with pytest.raises(KeysUnavailable):
        source.keys.find("k1")
    source.away, source.now = False, 86_412.0
    assert source.keys.find("k1")


@pytest.mark.parametrize(
    "key_set", [{}, {"keys": []}, {"keys": "x"}, [], None, {"keys": [{"kid": "k1", "kty": "oct"}]}]
)
def test_no_usable_keys_is_unavailable(key_set: Any) -> None:
    with pytest.raises(KeysUnavailable):
        Verifier(Keys(lambda: key_set), ISSUER, AUDIENCE).verify(OURS.token())


def test_keys_for_other_uses_are_not_used() -> None:
    (key,) = OURS.key_set()["keys"]
    others = [key | {"use": "enc"}, key | {"alg": "ECDH-ES"}, {**P384.as_dict(private=False), "kid": "k1"}]
    new = Issuer("k2").key_set()["keys"]

    with pytest.raises(TokenRefused):
        Verifier(Keys(lambda: {"keys": others + new}), ISSUER, AUDIENCE).verify(OURS.token())
