"""What waits to be sent: codes, word of a changed address, invitations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cryptography.fernet import InvalidToken

from services.practices.domain.invitations import Invitation
from services.practices.mailer.letters import (
    CHANGED,
    CHANGED_TEXT,
    CODE,
    CODE_TEXT,
    INVITATION,
    INVITATION_TEXT,
    Letter,
)
from services.practices.mailer.post import give_up
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.ending import people
from services.practices.store.codes import Code, Codes
from services.practices.store.people import Due
from shared.clock import now
from shared.ids import derived_from
from shared.settings import Settings

AGAIN_AFTER, AT_LATEST_AFTER = timedelta(seconds=5), timedelta(minutes=5)
TOLD_WITHIN = timedelta(days=14)
"""A former address that could not be told by then is forgotten."""
AT_ONCE = 500
"""Addresses, of which those of nobody cost next to nothing."""


@dataclass(frozen=True)
class Waiting:
    """What is settled once its letters are sent, or put off where one of them could not be."""

    letters: Callable[[], Iterator[Letter]]
    settle: Callable[[], None]
    put_off: Callable[[datetime], None]
    sent: Callable[[Letter], None] = lambda _: None
    at_latest_after: timedelta = AT_LATEST_AFTER
    """Until they are tried again, however long they have waited."""

    def again_at(self, asked: datetime | None) -> datetime:
        """After as long again as they have waited; where their record cannot be read, as late as may be."""
        waited = self.at_latest_after if asked is None else now() - asked
        return now() + min(max(waited, AGAIN_AFTER), self.at_latest_after)


def codes(database: Any, settings: Settings) -> Iterator[Waiting]:
    """As long as there are any; first, all at once, those that nobody gets: anybody may ask for them."""
    store, mailed = Codes(database), MailedCodes(database, settings)
    while waited := store.to_send(now(), AT_ONCE):
        asked = {code.address for some in waited.values() for code in some if code.address is not None}
        known = mailed.known(asked)
        nobodys = {quota: some for quota, some in waited.items() if not _anybodys(some, known)}
        if nobodys:
            yield Waiting(lambda: iter(()), partial(store.settle, nobodys), lambda _: None)
        for quota, some in waited.items():
            if quota not in nobodys:
                yield from (_of_quota(store, mailed, quota, code) for code in some)
        if len(waited) < AT_ONCE:
            return


def _anybodys(codes: list[Code], known: set[str]) -> bool:
    """Whether somebody gets one; those for another address are asked for by who is signed in."""
    return any(code.address is None or code.address in known for code in codes)


def _of_quota(store: Codes, mailed: MailedCodes, quota: str, code: Code) -> Waiting:
    return Waiting(
        partial(_letters, mailed, code),
        partial(store.settle, {quota: [code]}),
        partial(store.put_off, quota),
        at_latest_after=AGAIN_AFTER,
    )


def _letters(mailed: MailedCodes, code: Code) -> Iterator[Letter]:
    if code.expires_at <= now():
        return
    try:
        said, emails = mailed.letter(code)
    except InvalidToken as error:
        give_up(error, code.id)
        return
    text = CODE_TEXT.format(code=f"{said[:4]} {said[4:]}")
    yield from (Letter(code.id, email, CODE, text, code.made_at) for email in emails)


def both(database: Any) -> tuple[Any, Any]:
    return people(database, "member"), people(database, "client")


def invitations(database: Any, settings: Settings) -> Iterator[Waiting]:
    for store in both(database):
        for due in store.due("invitation_due", now()):
            settle = partial(store.settle, due)
            yield Waiting(partial(_invitation, store, due, settings), settle, settle)


def _invitation(store: Any, due: Due, settings: Settings) -> Iterator[Letter]:
    person = store.get(due.practice_id, due.id)
    # Somebody may have taken it back, or accepted, since it was found due; and nobody comes too late.
    if person.invitation_due and person.is_invited(now()):
        asked: Invitation = person.invitation
        text = INVITATION_TEXT.format(url=settings.sign_in_url, day=f"{asked.expires_at:%d %B %Y}")
        id = derived_from(person.id, "invitation", str(asked.number))
        yield Letter(id, person.email, INVITATION, text, asked.asked_at[-1])


def changes(database: Any) -> Iterator[Waiting]:
    for store in both(database):
        for due in store.due("letters_due", now()):
            yield _change(store, due)


def _change(store: Any, due: Due) -> Waiting:
    told: list[str] = []

    def letters() -> Iterator[Letter]:
        person = store.get(due.practice_id, due.id)
        at = person.address_changed_at or now()
        if at + TOLD_WITHIN <= now():
            told.extend(person.former_emails)
            return
        for letter_id, email in person.former_emails.items():
            yield Letter(letter_id, email, CHANGED, CHANGED_TEXT, at)

    def settle() -> None:
        store.change(due.practice_id, due.id, lambda person: person.letters_sent(told))

    def put_off(until: datetime) -> None:
        if told:
            settle()
        store.settle(due, until)

    return Waiting(letters, settle, put_off, sent=lambda letter: told.append(letter.id))
