"""Signatures, checked by the reference implementation of Standard Webhooks."""

import base64
from datetime import UTC, datetime

import pytest
from cryptography.fernet import InvalidToken
from standardwebhooks import Webhook, WebhookVerificationError

from services.partners import signing

BODY = '{"specversion":"1.0","data":{"name":"Zoë"}}'.encode()
KEY = bytes(range(32))


def signed(secret: str, body: bytes = BODY) -> dict[str, str]:
    return signing.headers(secret, "event-1", int(datetime.now(UTC).timestamp()), body)


def test_the_reference_implementation_accepts_our_signature() -> None:
    secret = signing.new_secret()

    assert Webhook(secret).verify(BODY, signed(secret))["data"] == {"name": "Zoë"}


def test_both_sign_the_same_moment_alike() -> None:
    secret, at = signing.new_secret(), datetime(2026, 11, 2, 9, 30, tzinfo=UTC)

    ours = signing.headers(secret, "event-1", int(at.timestamp()), BODY)

    assert ours["webhook-signature"] == Webhook(secret).sign("event-1", at, BODY.decode())


@pytest.mark.parametrize("header", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_counts(header: str) -> None:
    secret = signing.new_secret()
    headers = signed(secret)
    headers[header] = headers[header][:-3] + ("111" if header != "webhook-signature" else "AAA")

    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(BODY, headers)


def test_another_body_or_secret_is_refused() -> None:
    secret = signing.new_secret()

    for body, other in ((BODY + b" ", secret), (BODY, signing.new_secret())):
        with pytest.raises(WebhookVerificationError):
            Webhook(other).verify(body, signed(secret))


def test_a_secret_is_random_and_of_the_length_the_standard_asks_for() -> None:
    one, other = signing.new_secret(), signing.new_secret()

    assert one != other
    assert one.startswith("whsec_")
    assert 24 <= len(base64.b64decode(one.removeprefix("whsec_"))) <= 64


def test_only_the_key_that_sealed_a_secret_opens_it() -> None:
    secret = signing.new_secret()
    sealed = signing.seal(secret, KEY)

    assert secret not in sealed
    assert signing.unseal(sealed, KEY) == secret
    with pytest.raises(InvalidToken):
        signing.unseal(sealed, KEY[::-1])
