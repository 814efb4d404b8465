"""Another e-mail address to sign in by: from a mailbox proven by a code, and the old one is told.

An access token is not enough to take somebody's account: members bring their second factor, and who has none
proves the present mailbox too.
"""

from datetime import datetime
from typing import Any

from services.practices.contacts import reached
from services.practices.domain.members import Member
from services.practices.domain.people import Person
from services.practices.sign_in.codes import Address, MailedCodes
from services.practices.sign_in.ending import end_late, people
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store.codes import Code
from services.practices.store.sign_in import SignIns
from shared.ids import new_id
from shared.security.caller import Caller
from shared.settings import Settings

_AGAIN = "A code is wrong, used or too old; ask for new ones."
_PRESENT = "Send present_code: what came to the present address, and code: what came to the new one."


class CodeRefused(Exception):
    """The codes do not prove each mailbox."""


class SecondFactorRefused(Exception):
    """Members change their address with their second factor."""


class AddressChange:
    """One caller's."""

    def __init__(self, database: Any, settings: Settings, by: Caller) -> None:
        self._database = database
        self._settings = settings
        self._codes = MailedCodes(database, settings)
        self._factors = SecondFactors(database, settings)
        self._sign_ins = SignIns(database)
        self._people = people(database, by.kind)
        self._by = by

    def ask(self, email: str, at: datetime) -> str:
        """A code to the new mailbox, whosever it is: who has it in this practice shows when it is proven."""
        return self._codes.ask_for_change(self._by.id, self._mailboxes(self._person(), email), at)

    def make(
        self,
        email: str,
        code: str,
        ticket: str,
        at: datetime,
        present_code: str | None = None,
        second_factor: str | None = None,
    ) -> Person:
        """One save of the person, in which all other sign-ins end.

        The codes are used up before it, and not given back by a kill or by an address that is taken.
        """
        known = self._person()
        proofs = self._proofs(known, email, code, present_code, ticket, at)
        if isinstance(known, Member) and not self._factors.may_try(known.practice_id, known.id, at):
            raise SecondFactorRefused("It was tried too often; try again in an hour.")
        used = False

        def change(person: Person) -> None:
            nonlocal used
            if isinstance(person, Member) and not self._factors.is_passed(person, second_factor or "", at):
                raise SecondFactorRefused("Send second_factor: the next six digits of the authenticator.")
            used = used or all(self._codes.use(proof, at) for proof in proofs)
            if not used or person.address != known.address:
                raise CodeRefused(_AGAIN)
            self._sign_ins.mark_ended(person, at)
            others = self._sign_ins.ids_of(person.practice_id, person.id, but=self._by.sign_in_id)
            person.change_address(email, self._codes.address(email), new_id(), at)
            person.end_sign_ins(others, at)
            reached(self._settings, person)

        changed = self._people.change(known.practice_id, known.id, change)
        return end_late(self._database, self._by.kind, changed, at, but=self._by.sign_in_id)

    def _person(self) -> Person:
        person: Person = self._people.get(self._by.practice_id, self._by.id)
        return person

    def _mailboxes(self, person: Person, email: str) -> dict[Address, str]:
        """Those that they have to prove; of another spelling of their address the one that it is."""
        proven = isinstance(person, Member) or person.address == self._codes.address(email)
        return {Address.NEW: email} | ({} if proven else {Address.PRESENT: person.email})

    def _proofs(
        self, person: Person, email: str, code: str, present_code: str | None, ticket: str, at: datetime
    ) -> list[Code]:
        given = {Address.NEW: code, Address.PRESENT: present_code}
        return [
            self._proof(mailbox, to, given[mailbox], ticket, at)
            for mailbox, to in self._mailboxes(person, email).items()
        ]

    def _proof(self, mailbox: Address, email: str, code: str | None, ticket: str, at: datetime) -> Code:
        if code is None:
            raise CodeRefused(_PRESENT)
        matching = self._codes.matching_change(self._by.id, mailbox, email, code, ticket, at)
        if matching is None:
            raise CodeRefused(_AGAIN)
        return matching
