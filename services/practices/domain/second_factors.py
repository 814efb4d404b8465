"""A member's second factor: an authenticator (RFC 6238), and recovery codes for the day it is lost."""

import hmac
from dataclasses import dataclass
from datetime import datetime


class NotYourOwn(Exception):
    """Nobody resets their own second factor: who holds a stolen token could."""


@dataclass(kw_only=True)
class SecondFactor:
    """Of one member; the secret is encrypted and the codes are keyed hashes, both by sign_in."""

    sealed_secret: str
    enrolled_at: datetime
    last_step: int = 0
    """The last time step whose code was used (RFC 6238, 5.2: a code is accepted once)."""
    recovery_codes: list[str]
    """Those that are left."""

    def use_step(self, step: int) -> bool:
        """Whether it is a later one than was ever used, which from now on it is not."""
        if step <= self.last_step:
            return False
        self.last_step = step
        return True

    def use_recovery_code(self, digest: str) -> bool:
        left = [one for one in self.recovery_codes if not hmac.compare_digest(one, digest)]
        used = len(left) < len(self.recovery_codes)
        self.recovery_codes = left
        return used
