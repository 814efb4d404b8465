"""The master key, under which every data key lies: one that the settings hold (libmongocrypt's `local`).

Each is named after its own digest, so that a data key tells under which one it lies, and two can be there
at once while one takes the other's place.
"""

import base64
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any


@dataclass(frozen=True)
class Master:
    """Base64 of 96 random bytes each; `former` is the one before, as long as some keys still lie under it."""

    key: str
    former: str = ""

    @property
    def provider(self) -> str:
        """The one that new data keys are kept under."""
        return _name(self.key)

    @property
    def providers(self) -> dict[str, Any]:
        """All that data keys may lie under, as pymongo takes them."""
        return {_name(key): {"key": base64.b64decode(key)} for key in (self.key, self.former) if key}


def _name(key: str) -> str:
    # One-way and short: it says which key of the few there have been, and nothing of what it is.
    digest = blake2b(base64.b64decode(key), digest_size=8, person=b"tandem/master")
    return f"local:{digest.hexdigest()}"
