"""Time-based one-time passwords: RFC 6238 with what every authenticator knows, SHA-1, 6 digits, 30 s.

Written by the RFC and tried by its vectors: the algorithm is ten lines, and a library has no more to give.
"""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote, urlencode

SECONDS = 30
DIGITS = 6
_AROUND = (-1, 0, 1)
"""Steps by which a clock may be wrong (RFC 6238, 5.2: at most one is recommended)."""
_BYTES = 20
"""RFC 4226, 4, R6: 160 bits are recommended."""


def new_secret() -> bytes:
    return secrets.token_bytes(_BYTES)


def step_of(at: datetime) -> int:
    return int(at.timestamp()) // SECONDS


def password(secret: bytes, step: int, digits: int = DIGITS) -> str:
    """RFC 4226, 5.3, of the step as its counter."""
    mac = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    place = mac[-1] & 0xF
    number = int.from_bytes(mac[place : place + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}}"


def matching_step(secret: bytes, given: str, at: datetime) -> int | None:
    """The step whose password this is; all are compared, whichever it is."""
    steps = [step_of(at) + away for away in _AROUND]
    # Bytes, since compare_digest refuses a text beyond ASCII.
    matches = [hmac.compare_digest(password(secret, step).encode(), given.encode()) for step in steps]
    return next((step for step, same in zip(steps, matches, strict=True) if same), None)


def base32(secret: bytes) -> str:
    """As a person types it where no code can be scanned."""
    return base64.b32encode(secret).decode().rstrip("=")


def uri(secret: bytes, account: str) -> str:
    """What an authenticator scans (the key URI format that they share)."""
    about = {"secret": base32(secret), "issuer": "Tandem", "algorithm": "SHA1", "digits": DIGITS}
    return f"otpauth://totp/Tandem:{quote(account)}?{urlencode(about | {'period': SECONDS})}"
