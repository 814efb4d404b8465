"""How to reach somebody, encrypted to notifications alone: no broker, log or other service reads it.

A JWE (RFC 7516): ECDH-ES+A256KW to an X25519 key (RFC 8037), A256GCM.
"""

import base64
from typing import TypeVar

import orjson
from joserfc import jwe
from joserfc.jwk import OKPKey

from services.practices.domain.people import Person
from shared.settings import Settings

_HEADER = {"alg": "ECDH-ES+A256KW", "enc": "A256GCM"}


P = TypeVar("P", bound=Person)


def reached(settings: Settings, person: P) -> P:
    """The person, who says in the same save how to reach them."""
    person.reach(sealed(settings, person.id, person.email, getattr(person, "phone", None)))
    return person


def sealed(settings: Settings, person_id: str, email: str, phone: str | None = None) -> str:
    """What travels in person.contact_set; it says whose it is, so that nobody gives it to another."""
    public = base64.urlsafe_b64encode(base64.b64decode(settings.contact_public_key)).rstrip(b"=").decode()
    key = OKPKey.import_key({"kty": "OKP", "crv": "X25519", "x": public})
    contact = orjson.dumps({"person_id": person_id, "email": email, "phone": phone})
    return jwe.encrypt_compact(_HEADER, contact, key, algorithms=list(_HEADER.values()))
