"""What members and clients have in common: who they are, and how they come in."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from services.practices.domain.addresses import normalized
from services.practices.domain.invitations import Invited
from services.practices.events.people import PersonContactSet, PersonSnapshot

OUTLIVED = timedelta(minutes=20)
"""An access token has expired so long after its sign-in was ended: they last ten minutes, fifteen at most."""


@dataclass(kw_only=True)
class Person(Invited):
    """Somebody who may sign in."""

    id: str
    practice_id: str
    display_name: str
    email: str
    address: str
    language: str
    timezone: str
    ended: dict[str, datetime] = field(default_factory=dict)
    """Sign-ins that were ended of late, and when: what tokens they left behind is worth nothing."""
    former_emails: dict[str, str] = field(default_factory=dict)
    """Addresses to be told that they are no longer the person's, each by the id of its letter."""
    letters_due: datetime | None = None
    address_changed_at: datetime | None = None
    contact: str | None = None
    """How to reach them, as notifications alone can read it."""
    version: int = 0
    events: list[Any] = field(default_factory=list)

    @property
    def active(self) -> bool:
        raise NotImplementedError

    def may_sign_in(self, at: datetime) -> bool:
        """Who is here, and who is invited as long as the invitation is good."""
        return self.active or self.is_invited(at)

    def is_invited(self, at: datetime) -> bool:
        raise NotImplementedError

    def stays(self, sign_in_id: str, began_at: datetime) -> bool:
        """Whether what this sign-in began may go on."""
        return self.active and sign_in_id not in self.ended

    def end_sign_ins(self, ids: Iterable[str], at: datetime) -> None:
        """In this one save, for every service; that they are marked too follows (sign_in/ending.py)."""
        new = set(ids) - self.ended.keys()
        if new:
            recent = {id: ended for id, ended in self.ended.items() if ended > at - OUTLIVED}
            self.ended = recent | dict.fromkeys(sorted(new), at)
            self._say_signed_out()

    def change_address(self, email: str, address: str, letter_id: str, at: datetime) -> None:
        """From a mailbox that is proven to be theirs; the old one is told."""
        if address != self.address:
            left = {**self.former_emails, letter_id: self.email}
            # Where they come back to one before it was told, there is nothing to tell it.
            self.former_emails = {id: to for id, to in left.items() if normalized(to) != normalized(email)}
            self.letters_due = self.address_changed_at = at
        self.email, self.address = email, address

    def reach(self, contact: str | None) -> None:
        """At what they can be reached from now on, encrypted to notifications; or no more."""
        self.contact = contact
        self.events.append(PersonContactSet(self.id, contact))

    def snapshots(self) -> list[Any]:
        """All that there is to be told again."""
        return [self.snapshot(), PersonSnapshot(self.id, self.contact)]

    def snapshot(self) -> Any:
        raise NotImplementedError

    def letters_sent(self, ids: Iterable[str]) -> None:
        self.former_emails = {id: to for id, to in self.former_emails.items() if id not in set(ids)}
        self.letters_due = self.letters_due if self.former_emails else None

    def _say_signed_out(self) -> None:
        raise NotImplementedError
