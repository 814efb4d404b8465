"""E-mail addresses and apps' own ids are found through keyed hashes: no index and no event holds one."""

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
    return _keyed(normalized(email), key)


def look_up_external(app_id: str, external_id: str, key: bytes) -> str:
    """What a client is found by whom an app calls so."""
    return _keyed(f"{app_id}:{external_id}", key)


def _keyed(text: str, key: bytes) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
