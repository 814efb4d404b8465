"""The second factor of members: enrolled at the first sign-in, asked for at each.

It is tried by who had the mailed code, five times a ticket and twenty times an hour and member: strangers get
nowhere near it, and keep nobody out.
"""

import secrets
from datetime import datetime, timedelta
from typing import Any

from cryptography.fernet import InvalidToken

from services.practices.domain.apps import hash_of
from services.practices.domain.members import Member
from services.practices.domain.second_factors import SecondFactor
from services.practices.sign_in import totp
from services.practices.sign_in.errors import SecondFactorRequired
from services.practices.sign_in.sealing import box, digest
from services.practices.store.second_factors import Ticket, Tickets, Tries
from shared.settings import Settings

TICKET_LIFETIME = timedelta(minutes=5)
TICKET_TRIES = 5
TRIES = 20
TRIES_WITHIN = timedelta(hours=1)
RECOVERY_CODES = 8
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without those that look alike."""


class SecondFactors:
    def __init__(self, database: Any, settings: Settings) -> None:
        self._settings = settings
        self._tickets = Tickets(database)
        self._tries = Tries(database)

    def required(self, member: Member, device: str | None, at: datetime) -> SecondFactorRequired:
        """What the code alone is answered with."""
        ticket, secret = secrets.token_urlsafe(32), None
        if member.second_factor is None:
            secret = totp.new_secret()
        about = Ticket(
            id=hash_of(ticket),
            practice_id=member.practice_id,
            member_id=member.id,
            address=member.address,
            device=device,
            sealed_secret=self.sealed(secret) if secret else None,
            expires_at=at + TICKET_LIFETIME,
        )
        self._tickets.add(about)
        return SecondFactorRequired(ticket, _enrolment(secret, member) if secret else None)

    def ticket(self, given: str, at: datetime) -> Ticket | None:
        """A try is counted before what came with it is looked at."""
        found = self._tickets.try_(hash_of(given), TICKET_TRIES, at)
        return found if found and self.may_try(found.practice_id, found.member_id, at) else None

    def may_try(self, practice_id: str, member_id: str, at: datetime) -> bool:
        return self._tries.count(practice_id, member_id, TRIES, TRIES_WITHIN, at)

    def use(self, ticket: Ticket) -> bool:
        """True for the one request that uses it."""
        return self._tickets.use(ticket)

    def is_passed(self, member: Member, given: str, at: datetime) -> bool:
        """By a code of the authenticator or one for recovery; either is used up in the member's next save."""
        factor = member.second_factor
        if factor is None:
            return False
        step = totp.matching_step(self._opened(factor.sealed_secret), given, at)
        return (
            factor.use_recovery_code(self._recovery(member, given)) if step is None else factor.use_step(step)
        )

    def is_lost(self, member: Member) -> bool:
        """Whether there is one that was encrypted with another secret key, and so can never be passed."""
        if member.second_factor is None:
            return False
        try:
            self._opened(member.second_factor.sealed_secret)
        except InvalidToken:
            return True
        return False

    def enrolled(self, member: Member, ticket: Ticket, given: str, at: datetime) -> list[str] | None:
        """The recovery codes, told this once, where the code shows that the secret arrived."""
        if member.second_factor is not None or ticket.sealed_secret is None:
            return None
        step = totp.matching_step(self._opened(ticket.sealed_secret), given, at)
        if step is None:
            return None
        codes = [_recovery_code() for _ in range(RECOVERY_CODES)]
        member.second_factor = SecondFactor(
            sealed_secret=ticket.sealed_secret,
            enrolled_at=at,
            last_step=step,
            recovery_codes=[self._recovery(member, code) for code in codes],
        )
        return codes

    def sealed(self, secret: bytes) -> str:
        return box(self._settings, "second-factors").encrypt(secret).decode()

    def _opened(self, sealed: str) -> bytes:
        return box(self._settings, "second-factors").decrypt(sealed.encode())

    def _recovery(self, member: Member, given: str) -> str:
        plain = given.upper().replace("-", "").replace(" ", "")
        return digest(self._settings, "recovery-codes", member.practice_id, member.id, plain)


def _enrolment(secret: bytes, member: Member) -> dict[str, str]:
    return {"secret": totp.base32(secret), "uri": totp.uri(secret, member.email)}


def _recovery_code() -> str:
    """50 bits, as ABCDE-FGHJK."""
    letters = [secrets.choice(_LETTERS) for _ in range(10)]
    return "".join(letters[:5]) + "-" + "".join(letters[5:])
