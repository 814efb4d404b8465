"""Keyed hashes and encryption, each with a key for its one purpose."""

import hashlib
import hmac
from base64 import urlsafe_b64encode

from cryptography.fernet import Fernet

from shared.settings import Settings


def digest(settings: Settings, purpose: str, *parts: str) -> str:
    """HMAC-SHA256 of ids and, last, what somebody typed."""
    return hmac.new(settings.key(purpose), "/".join(parts).encode(), hashlib.sha256).hexdigest()


def box(settings: Settings, purpose: str) -> Fernet:
    return Fernet(urlsafe_b64encode(settings.key(purpose)))
