"""E-mail addresses are found through `look_up`, a keyed hash of them: no index and no event holds one."""

import hashlib
import hmac
import unicodedata


class AddressTaken(Exception):
    """Somebody here already has this e-mail address."""


def normalized(email: str) -> str:
    """The form in which two spellings of one address are equal."""
    return unicodedata.normalize("NFC", email.strip()).lower()


def look_up(email: str, key: bytes) -> str:
    """What an address is found by: HMAC-SHA256, useless to whoever lacks the key."""
    return hmac.new(key, normalized(email).encode(), hashlib.sha256).hexdigest()
