"""Time-based one-time passwords, by the vectors of the RFCs."""

import base64
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from scripts.sign_in import totp as of_the_scripts
from services.practices.sign_in import totp

SECRET = b"12345678901234567890"
"""Of RFC 4226, appendix D, and of RFC 6238, appendix B, for SHA-1."""
AT = datetime(2026, 3, 1, 9, 0, 10, tzinfo=UTC)


OF_RFC_4226 = [
    "755224",
    "287082",
    "359152",
    "969429",
    "338314",
    "254676",
    "287922",
    "162583",
    "399871",
    "520489",
]


@pytest.mark.parametrize(("count", "password"), list(enumerate(OF_RFC_4226)))
def test_the_vectors_of_rfc_4226(count, password):
    assert totp.password(SECRET, count) == password


@pytest.mark.parametrize(
    ("seconds", "password"),
    [
        (59, "94287082"),
        (1111111109, "07081804"),
        (1111111111, "14050471"),
        (1234567890, "89005924"),
        (2000000000, "69279037"),
        (20000000000, "65353130"),
    ],
)
def test_the_vectors_of_rfc_6238(seconds, password):
    at = datetime.fromtimestamp(seconds, UTC)

    assert totp.password(SECRET, totp.step_of(at), digits=8) == password
    assert totp.matching_step(SECRET, password[-6:], at) == seconds // 30


@pytest.mark.parametrize(("away", "matches"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_wrong_by_one_step(away, matches):
    given = totp.password(SECRET, totp.step_of(AT) + away)

    assert (totp.matching_step(SECRET, given, AT) is not None) == matches


@pytest.mark.parametrize(
    "given", ["", "12345", "1234567", "abcdef", "½½½½½½", "\0" * 6, "１２３４５６", " 755224"]
)
def test_what_is_no_password_matches_no_step(given):
    assert totp.matching_step(SECRET, given, AT) is None


def test_a_secret_is_160_random_bits_and_travels_as_base32():
    first, second = totp.new_secret(), totp.new_secret()

    assert first != second
    assert len(first) == 20
    assert base64.b32decode(totp.base32(first)) == first


def test_an_authenticator_reads_all_it_needs_from_the_uri():
    parts = urlsplit(totp.uri(SECRET, "ada+1@example.org"))

    assert (parts.scheme, parts.netloc, parts.path) == ("otpauth", "totp", "/Tandem:ada%2B1%40example.org")
    assert parse_qs(parts.query) == {
        "secret": [totp.base32(SECRET)],
        "issuer": ["Tandem"],
        "algorithm": ["SHA1"],
        "digits": ["6"],
        "period": ["30"],
    }


def test_the_scripts_compute_the_same_by_themselves():
    for step in (0, 1, 57_000_000, totp.step_of(AT + timedelta(days=9_999))):
        assert of_the_scripts(totp.base32(SECRET), step) == totp.password(SECRET, step)
