"""What is exchanged for tokens: a code, a second factor, a refresh token, an app's secret (RFC 6749)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NoReturn

from services.practices.domain.clients import Client
from services.practices.domain.members import Member, MemberNotFound
from services.practices.sign_in import refresh_tokens
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.ending import end, people
from services.practices.sign_in.errors import (
    AppUnknown,
    NothingToExchange,
    PracticeNotGranted,
    Standing,
    StandingRequired,
)
from services.practices.sign_in.second_factors import SecondFactors
from services.practices.store.apps import Apps, Grants
from services.practices.store.codes import Code
from services.practices.store.people import Members, Practices
from services.practices.store.second_factors import Ticket
from services.practices.store.sign_in import SignedIn, SignIns
from services.practices.tokens import LIFETIME, Subject, issue
from shared.ids import PLATFORM, derived_from, new_id
from shared.settings import Settings

SIGNED_IN_FOR = timedelta(days=30)
SIGN_INS = 20
"""Of one person at a time; the oldest makes room."""
_CODE = "The code is wrong, used or too old; ask for a new one."
_FACTOR = "The code is wrong, used or too old; try the next one, or sign in again."
_CHANGED = "What you signed in by was changed in the meantime; sign in again."
_REFRESH = "The refresh token is used, ended or too old; sign in again."


@dataclass(frozen=True)
class Tokens:
    """What is given in exchange."""

    access_token: str
    refresh_token: str | None = None
    device: str | None = None
    """The secret by which this device has a quota of codes of its own, unless it has one."""
    recovery_codes: list[str] | None = None
    token_type: str = "Bearer"  # noqa: S105  (the name of a scheme)
    expires_in: int = int(LIFETIME.total_seconds())


class SignIn:
    """Signing in to one deployment: its database, its keys."""

    def __init__(self, database: Any, settings: Settings) -> None:
        self._database = database
        self._settings = settings
        self._codes = MailedCodes(database, settings)
        self._factors = SecondFactors(database, settings)
        self._sign_ins = SignIns(database)

    def by_code(
        self, email: str, code: str, ticket: str, practice_id: str | None, kind: str | None, at: datetime
    ) -> Tokens:
        """A client's tokens; a member's second factor is asked for by `SecondFactorRequired`."""
        matching = self._codes.matching(email, code, ticket, at)
        if matching is None:
            raise NothingToExchange(_CODE)
        found = [
            person
            for person in self._codes.people(matching.address or "")
            if practice_id in (None, person.practice_id)
            and kind in (None, _kind(person))
            and person.may_sign_in(at)
        ]
        if len(found) > 1:
            self._codes.forgive_try(matching)
            raise StandingRequired([self._standing(one) for one in found])
        if not found or not self._codes.use(matching, at):
            raise NothingToExchange(_CODE)
        (person,) = found
        if isinstance(person, Member):
            raise self._factors.required(person, matching.device, at)
        return self._begin(self._accepted(person, at), matching, at)

    def _standing(self, person: Member | Client) -> Standing:
        practice = Practices(self._database).get(person.practice_id, person.practice_id)
        return Standing(person.id, _kind(person), practice.id, practice.name)

    def _accepted(self, client: Client, at: datetime) -> Client:
        """Who was invited has accepted by this, if their address is still the one that was proven."""
        if client.active:
            return client
        proven = client.address

        def accept(client: Client) -> None:
            if client.address != proven or not client.may_sign_in(at):
                raise NothingToExchange(_CODE)
            client.accept(at)

        changed: Client = people(self._database, "client").change(client.practice_id, client.id, accept)
        return changed

    def by_second_factor(self, ticket: str, given: str, at: datetime) -> Tokens:
        """A member's tokens, and with the first right code of a new authenticator the recovery codes."""
        held = self._factors.ticket(ticket, at)
        if held is None:
            raise NothingToExchange(_FACTOR)
        told: list[str] | None = None

        def pass_it(member: Member) -> None:
            nonlocal told
            if not member.may_sign_in(at) or member.address != held.address:
                raise NothingToExchange(_FACTOR)
            if held.sealed_secret is None:
                passed = self._factors.is_passed(member, given, at)
            else:
                told = self._factors.enrolled(member, held, given, at)
                passed = told is not None
            if not passed:
                raise NothingToExchange(_FACTOR)
            member.accept(at)

        try:
            member = Members(self._database).change(held.practice_id, held.member_id, pass_it)
        except MemberNotFound:
            raise NothingToExchange(_FACTOR) from None
        # What was used up stays so: a kill before or after this costs another code, and lets nobody in.
        if not self._factors.use(held):
            raise NothingToExchange(_FACTOR)
        return self._begin(member, held, at, told)

    def _begin(
        self, person: Member | Client, by: Code | Ticket, at: datetime, told: list[str] | None = None
    ) -> Tokens:
        sign_in = SignedIn(
            id=new_id(),
            practice_id=person.practice_id,
            person_id=person.id,
            kind=_kind(person),
            began_at=at,
            last_used_at=at,
            expires_at=at + SIGNED_IN_FOR,
        )
        self._sign_ins.add(sign_in, SIGN_INS)
        self._require_unchanged(person, sign_in, at)
        device = self._codes.remember(by.device, person.address, at)
        refresh_token = refresh_tokens.written(self._settings, sign_in.id, 0)
        return Tokens(self._token_of(sign_in, at), refresh_token, device, told)

    def _require_unchanged(self, person: Member | Client, sign_in: SignedIn, at: datetime) -> None:
        """Whoever changed what they signed in by has ended what they found, and may have missed this."""
        found = people(self._database, sign_in.kind).look(person.practice_id, person.id)
        if found is None or found.address != person.address or not found.stays(sign_in.id, at):
            self._sign_ins.end(sign_in, at)
            raise NothingToExchange(_CHANGED)

    def by_refresh_token(self, token: str, at: datetime) -> Tokens:
        id, number = refresh_tokens.read(self._settings, token) or ("", 0)
        sign_in = self._sign_ins.of_token(id)
        if sign_in is None or not sign_in.lives(at):
            raise NothingToExchange(_REFRESH)
        person = people(self._database, sign_in.kind).find(sign_in.practice_id, sign_in.person_id)
        if person is None or not person.stays(id, sign_in.began_at):
            self._sign_ins.end(sign_in, at)
            raise NothingToExchange(_REFRESH)
        access_token = self._token_of(sign_in, at)
        if not (self._sign_ins.rotate(sign_in, number, at) or self._replaced_just_now(id, number, at)):
            self._seen_again(sign_in, at)
        return Tokens(access_token, refresh_tokens.written(self._settings, id, number + 1))

    def _replaced_just_now(self, id: str, number: int, at: datetime) -> bool:
        """By another tab, or by a request whose answer was lost."""
        sign_in = self._sign_ins.of_token(id)
        return (
            sign_in is not None
            and sign_in.lives(at)
            and sign_in.number == number + 1
            and at - sign_in.last_used_at < refresh_tokens.GRACE
        )

    def _seen_again(self, sign_in: SignedIn, at: datetime) -> NoReturn:
        """Somebody else has the token that came after this one: neither is trusted any more."""
        end(self._database, sign_in.kind, sign_in.practice_id, sign_in.person_id, [sign_in.id], at)
        raise NothingToExchange(_REFRESH)

    def by_client_credentials(
        self, app_id: str, secret: str, practice_id: str | None, at: datetime
    ) -> Tokens:
        app = Apps(self._database).find(PLATFORM, app_id)
        if app is None or not app.knows(secret):
            raise AppUnknown("There is no app with this id and secret.")
        if practice_id is not None:
            grant = Grants(self._database).find(practice_id, grant_id(practice_id, app_id))
            if grant is None or not grant.stands:
                raise PracticeNotGranted("This practice has not granted the app anything.")
        return Tokens(self._token(Subject(app_id, "app", practice_id or PLATFORM), at))

    def _token_of(self, sign_in: SignedIn, at: datetime) -> str:
        return self._token(Subject(sign_in.person_id, sign_in.kind, sign_in.practice_id, sign_in.id), at)

    def _token(self, subject: Subject, at: datetime) -> str:
        return issue(self._database, self._settings, subject, at)


def _kind(person: Member | Client) -> str:
    return "member" if isinstance(person, Member) else "client"


def grant_id(practice_id: str, app_id: str) -> str:
    """One grant for each practice and app."""
    return derived_from(practice_id, "grant", app_id)
