"""Access tokens: one form is accepted, every other refused."""

import time
from typing import Any

import pytest

from shared.security import tokens
from shared.security.caller import Caller
from shared.security.tokens import Keys, KeysUnavailable, TokenRefused, Verifier
from tests import forged
from tests.forged import OURS, P384, head
from tests.issuer import AUDIENCE, ISSUER, Issuer

NOW = forged.NOW


@pytest.mark.parametrize("token", forged.FORGED.values(), ids=forged.FORGED.keys())
def test_forged_or_twisted_token_is_refused(token: str) -> None:
    # At the time when they were made, or all would be refused as expired by and by.
    verifier = Verifier(Keys(OURS.key_set), ISSUER, AUDIENCE, lambda: float(NOW))

    for _ in range(2):
        with pytest.raises(TokenRefused):
            verifier.verify(token)


def test_good_token_is_its_caller() -> None:
    assert OURS.verifier().verify(OURS.token()) == Caller("ada", "client", "elm", "t1", "s1")
    assert OURS.verifier().verify(head()) == Caller("ada", "client", "elm", "t1", "s1")


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
