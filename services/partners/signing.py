"""An endpoint's secret: made, sealed for the database, and used to sign as Standard Webhooks 1.0 says."""

import base64
import hashlib
import hmac
import secrets

from cryptography.fernet import Fernet

PREFIX = "whsec_"
_BYTES = 32  # Standard Webhooks, "Signature scheme": between 24 and 64 bytes


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(_BYTES)).decode()


def seal(secret: str, key: bytes) -> str:
    """Encrypt it, with 32 bytes of key, before it reaches the database."""
    return _fernet(key).encrypt(secret.encode()).decode()


def unseal(sealed: str, key: bytes) -> str:
    return _fernet(key).decrypt(sealed).decode()


def _fernet(key: bytes) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(key))


def headers(secret: str, id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks; the signature is over "id.timestamp.body"."""
    signed = b".".join((id.encode(), str(timestamp).encode(), body))
    key = base64.b64decode(secret.removeprefix(PREFIX))
    signature = base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{signature}",
    }
