"""Another e-mail address to sign in by: from a mailbox proven by a code, and the old one is told."""

from datetime import datetime
from typing import Any

from services.practices.contacts import reached
from services.practices.domain.members import Member
from services.practices.domain.people import Person
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.ending import people
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store.sign_in import SignIns
from shared.ids import new_id
from shared.security.caller import Caller
from shared.settings import Settings


class CodeRefused(Exception):
    """The code does not prove this mailbox."""


class SecondFactorRefused(Exception):
    """Members change their address with their second factor."""


class AddressChange:
    """One caller's."""

    def __init__(self, database: Any, settings: Settings, by: Caller) -> None:
        self._settings = settings
        self._codes = MailedCodes(database, settings)
        self._factors = SecondFactors(database, settings)
        self._sign_ins = SignIns(database)
        self._people = people(database, by.kind)
        self._by = by

    def ask(self, email: str, at: datetime) -> str:
        """A code to the new mailbox, whosever it is: who has it in this practice shows when it is proven."""
        return self._codes.ask_for_change(self._by.id, email, at)

    def make(self, email: str, code: str, ticket: str, second_factor: str | None, at: datetime) -> Person:
        """One save of the person, in which all other sign-ins end.

        The code is used up before it, and not given back by a kill or by an address that is taken.
        """
        matching = self._codes.matching_change(self._by.id, email, code, ticket, at)
        if matching is None:
            raise CodeRefused("The code is wrong, used or too old; ask for a new one.")
        if self._by.kind == "member" and not self._factors.may_try(self._by.practice_id, self._by.id, at):
            raise SecondFactorRefused("It was tried too often; try again in an hour.")
        others = self._sign_ins.ids_of(self._by.practice_id, self._by.id, but=self._by.sign_in_id)
        used = False

        def change(person: Person) -> None:
            nonlocal used
            if isinstance(person, Member) and not self._factors.is_passed(person, second_factor or "", at):
                raise SecondFactorRefused("Send second_factor: the next six digits of the authenticator.")
            used = used or self._codes.use(matching, at)
            if not used:
                raise CodeRefused("The code is wrong, used or too old; ask for a new one.")
            self._sign_ins.mark_ended(person, at)
            person.change_address(email, self._codes.address(email), new_id(), at)
            person.end_sign_ins(others, at)
            reached(self._settings, person)

        person: Person = self._people.change(self._by.practice_id, self._by.id, change)
        self._sign_ins.mark_ended(person, at)
        return person
