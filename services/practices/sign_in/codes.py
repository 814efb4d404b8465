"""One-time codes by mail: who may have one, and whether it is right."""

import hmac
import secrets
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from cryptography.fernet import Fernet

from services.practices.domain.addresses import look_up
from services.practices.domain.apps import hash_of
from services.practices.domain.clients import Client
from services.practices.domain.members import Member
from services.practices.sign_in.sealing import box, digest
from services.practices.store.codes import Code, Codes, Devices
from services.practices.store.people import Clients, Members
from shared.ids import new_id
from shared.settings import Settings

CODE_LIFETIME = timedelta(minutes=10)
TRIES = 5
CODES = 5
CODES_WITHIN = timedelta(hours=1)
DEVICE_LIFETIME = timedelta(days=365)
DEVICES = 10


class Address(StrEnum):
    """Those that a person proves who changes theirs; each has a quota of codes."""

    NEW = "change"
    PRESENT = "leave"


class MailedCodes:
    def __init__(self, database: Any, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._codes = Codes(database)
        self._devices = Devices(database)

    def ask(self, email: str, device: str | None, at: datetime) -> str:
        """A ticket for anybody; a code that goes with it unless there were too many of late.

        A device that signed in by this address has a quota of its own, beside the one that all others
        share, so that who knows the address and asks all day keeps its owner out nowhere but on new devices.
        """
        address, known = self.address(email), device and hash_of(device)
        if known and not self._devices.known(known, address, at):
            known = None
        quota, ticket = f"{address}/{known}" if known else address, _ticket()
        self._ask(quota, ticket, at, (address,), address=address, device=known)
        return ticket

    def ask_for_change(self, person_id: str, mailboxes: Mapping[Address, str], at: datetime) -> str:
        """The same for the mailboxes that a person has to prove, one code to each, and one ticket for all."""
        ticket = _ticket()
        for mailbox, email in mailboxes.items():
            quota, sealed_to = _quota_of(person_id, mailbox), self._box().encrypt(email.encode())
            bound = (quota, self.address(email))
            self._ask(quota, ticket, at, bound, address=None, sealed_to=sealed_to)
        return ticket

    def _ask(self, quota: str, ticket: str, at: datetime, bound: tuple[str, ...], **about: Any) -> None:
        id, code = new_id(), f"{secrets.randbelow(10**8):08}"
        made = Code(
            id=id,
            quota=quota,
            digest=self._digest(bound, id, code),
            ticket=hash_of(ticket),
            made_at=at,
            expires_at=at + CODE_LIFETIME,
            sealed=self._box().encrypt(code.encode()),
            **about,
        )
        self._codes.ask(made, CODES, CODES_WITHIN)

    def matching(self, email: str, code: str, ticket: str, at: datetime) -> Code | None:
        """The code to sign in that this is, if it is; a try of it is counted before it is looked at."""
        address = self.address(email)
        found = self._codes.try_to_sign_in(address, hash_of(ticket), TRIES, at)
        return found if found and self._is(found, (address,), code) else None

    def matching_change(
        self, person_id: str, mailbox: Address, email: str, code: str, ticket: str, at: datetime
    ) -> Code | None:
        quota = _quota_of(person_id, mailbox)
        found = self._codes.try_of(quota, hash_of(ticket), TRIES, at)
        return found if found and self._is(found, (quota, self.address(email)), code) else None

    def forgive_try(self, code: Code) -> None:
        self._codes.forgive_try(code)

    def use(self, code: Code, at: datetime) -> bool:
        """True for the one request that uses it."""
        return self._codes.use(code, at)

    def remember(self, device: str | None, address: str, at: datetime) -> str | None:
        """For another year: the secret of a new device, or nothing where it has one already."""
        secret = secrets.token_urlsafe(24) if device is None else None
        id = device or hash_of(secret or "")
        self._devices.remember(id, address, at + DEVICE_LIFETIME, DEVICES)
        return secret

    def address(self, email: str) -> str:
        return look_up(email, self._settings.key("email"))

    def people(self, address: str) -> list[Member | Client]:
        """Those who may come in with this address, everywhere."""
        return [
            *Members(self._database).with_address(address),
            *Clients(self._database).with_address(address),
        ]

    def known(self, addresses: Collection[str]) -> set[str]:
        """Those of these by which somebody may come in."""
        return Members(self._database).known(addresses) | Clients(self._database).known(addresses)

    def letter(self, code: Code) -> tuple[str, list[str]]:
        """What it says, and to whom: each spelling that is stored, as what was typed is never mailed to."""
        said = self._box().decrypt(code.sealed or b"").decode()
        if code.address is not None:
            return said, sorted({person.email for person in self.people(code.address)})
        return said, [self._box().decrypt(code.sealed_to or b"").decode()]

    def _is(self, code: Code, bound: tuple[str, ...], given: str) -> bool:
        return hmac.compare_digest(code.digest, self._digest(bound, code.id, given))

    def _digest(self, bound: tuple[str, ...], id: str, code: str) -> str:
        return digest(self._settings, "sign-in", *bound, id, code)

    def _box(self) -> Fernet:
        return box(self._settings, "letters")


def _ticket() -> str:
    return secrets.token_urlsafe(24)


def _quota_of(person_id: str, mailbox: Address) -> str:
    return f"{mailbox}/{person_id}"
