"""How to reach somebody is read by notifications alone."""

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from scripts.parts import public_key
from services.practices.contacts import sealed
from tests.requests import CONTACT_KEY, settings_of

ALGORITHMS = ["ECDH-ES+A256KW", "A256GCM"]


def opened(sealed: str, private: str) -> dict[str, str]:
    pem = X25519PrivateKey.from_private_bytes(base64.b64decode(private)).private_bytes_raw()
    public = base64.b64decode(public_key(private))
    key = {"kty": "OKP", "crv": "X25519"} | {
        name: base64.urlsafe_b64encode(value).rstrip(b"=").decode()
        for name, value in [("d", pem), ("x", public)]
    }
    return json.loads(jwe.decrypt_compact(sealed, OKPKey.import_key(key), algorithms=ALGORITHMS).plaintext)


def test_notifications_reads_it_and_nobody_else() -> None:
    settings = settings_of("practices", contact_public_key=public_key(CONTACT_KEY))
    other = base64.b64encode(bytes(range(1, 33))).decode()

    told = sealed(settings, "p1", "ada@example.org", "+351 1")

    assert opened(told, CONTACT_KEY) == {"person_id": "p1", "email": "ada@example.org", "phone": "+351 1"}
    assert "ada" not in told
    with pytest.raises(JoseError):
        opened(told, other)


def test_the_same_address_is_never_encrypted_to_the_same() -> None:
    settings = settings_of("practices", contact_public_key=public_key(CONTACT_KEY))

    assert sealed(settings, "p1", "ada@example.org") != sealed(settings, "p1", "ada@example.org")
