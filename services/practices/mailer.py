"""Sends one-time codes by mail, invitations, and word to an address that it was changed, at least once each.

Codes to sign in go only to addresses that are known; it works apart from the request that asked, so that no
answer takes longer for a known one. No mail says what it is about: others may see a person's mailbox.
"""

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from itertools import chain
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.fernet import InvalidToken
from prometheus_client import Counter, Gauge

from services.practices.domain.invitations import Invitation
from services.practices.sign_in.codes import MailedCodes
from services.practices.sign_in.ending import people
from services.practices.store.codes import Code, Codes
from services.practices.store.people import Due
from shared.clock import now
from shared.ids import derived_from
from shared.messaging.metrics import KEEPING
from shared.settings import Settings
from shared.store.changes import Wakeup
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease
from shared.web.metrics import asks

log = logging.getLogger(__name__)

LETTERS = Counter(
    "tandem_letters",
    "Letters, by what they became: sent, put_off (all for one, tried again) or given_up.",
    ["became"],
    registry=KEEPING,
)
WAITING = Gauge(
    "tandem_letters_waiting",
    "Addresses, devices and people with codes that are not sent yet.",
    registry=KEEPING,
)
INVITATIONS = Gauge(
    "tandem_invitations_waiting", "People whose invitation is not sent yet.", registry=KEEPING
)
OLDEST = Gauge(
    "tandem_letters_oldest_seconds", "For how long the oldest of these codes has waited.", registry=KEEPING
)
for _became in ("sent", "put_off", "given_up"):
    LETTERS.labels(_became)

POLL = 1.0
TIMEOUT = 10.0
AGAIN_AFTER = timedelta(seconds=5)
CODE = "Your code"
CODE_TEXT = """{code}

It works once, for ten minutes. If you did not ask for it, there is nothing you need to do.
"""
CHANGED = "Your address"
CHANGED_TEXT = """The address for signing in was changed: it is not this one any more.

If it was not you who changed it, tell those who invited you, today.
"""
INVITATION = "You are invited"
INVITATION_TEXT = """You are expected here:

{url}

Enter the e-mail address to which this came, and you get a code by mail. It is possible until {day}.
If you do not know what this is about, there is nothing you need to do.
"""


@dataclass(frozen=True)
class Letter:
    """What one mail says; its id is the same for every repeat, so that repeats are recognised."""

    id: str
    to: str
    subject: str
    text: str
    at: datetime


@dataclass(frozen=True)
class Waiting:
    """Letters that are settled together, or put off together."""

    letters: Callable[[], Iterator[Letter]]
    settle: Callable[[], None]
    put_off: Callable[[datetime], None]


def send_letters(database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
    """The worker's timer: one worker at a time sends, as soon as a letter is asked for."""
    lease, codes = Lease(database["leases"], "mailer", me=me), Codes(database)
    asks(WAITING, codes.waiting)
    asks(OLDEST, lambda: codes.oldest(now()))
    asks(INVITATIONS, lambda: sum(store.letters() for store in _people(database)))
    wakeup = Wakeup(database, ["codes", "members", "clients"], ("due", "invitation_due", "letters_due"))
    wakeup.start()
    while not stopping.is_set():
        try:
            send_due(database, settings, lease, stopping)
        except StoreUnavailable as error:
            log.warning("Letters not looked for", extra={"error": type(error).__name__})
        wakeup.wait(POLL)
    wakeup.stop()
    lease.release()


def send_due(database: Any, settings: Settings, lease: Lease, stopping: threading.Event) -> None:
    """One round, in which whoever waits for a code does not wait for other letters.

    It ends early where another worker took over, or this one is to end.
    """

    def go_on(waiting: Iterable[Waiting]) -> bool:
        return all(_send_in_time(one, settings, lease, stopping) for one in waiting)

    if go_on(_codes(database, settings)):
        for other in chain(_changes(database), _invitations(database, settings)):
            if not go_on(chain(_codes(database, settings), [other])):
                return


def _send_in_time(waiting: Waiting, settings: Settings, lease: Lease, stopping: threading.Event) -> bool:
    """Whether there was still time."""
    if stopping.is_set() or not lease.hold():
        return False
    # Each step of SMTP may take up to TIMEOUT, which is longer than the lease.
    with lease.renewed():
        _send_all(waiting, settings, lease)
    return True


def _send_all(waiting: Waiting, settings: Settings, lease: Lease) -> None:
    try:
        for letter in waiting.letters():
            if not lease.held:
                # Left as it was, for whoever took over.
                return
            _send(letter, settings)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - as told below
        # The mail server is away, or one person's record cannot be read: it holds up no other letter.
        log.warning("Letter not sent", extra={"error": type(error).__name__})
        waiting.put_off(now() + AGAIN_AFTER)
        LETTERS.labels("put_off").inc()
    else:
        waiting.settle()


def _codes(database: Any, settings: Settings) -> Iterator[Waiting]:
    store, mailed = Codes(database), MailedCodes(database, settings)
    for quota, codes in store.to_send(now()):
        yield Waiting(
            partial(_letters, mailed, codes),
            partial(store.settle, quota, codes),
            partial(store.put_off, quota),
        )


def _letters(mailed: MailedCodes, codes: list[Code]) -> Iterator[Letter]:
    for code in codes:
        if code.expires_at > now():
            try:
                said, emails = mailed.letter(code)
            except InvalidToken as error:
                _give_up(error, code.id)
                continue
            text = CODE_TEXT.format(code=f"{said[:4]} {said[4:]}")
            yield from (Letter(code.id, email, CODE, text, code.made_at) for email in emails)


def _people(database: Any) -> tuple[Any, Any]:
    return people(database, "member"), people(database, "client")


def _invitations(database: Any, settings: Settings) -> Iterator[Waiting]:
    for store in _people(database):
        for due in store.due("invitation_due", now()):
            settle = partial(store.settle, due)
            yield Waiting(partial(_invitation, store, due, settings), settle, settle)


def _invitation(store: Any, due: Due, settings: Settings) -> Iterator[Letter]:
    person = store.get(due.practice_id, due.id)
    # Somebody may have taken it back, or accepted, since it was found due.
    if person.invitation_due and person.invitation:
        asked: Invitation = person.invitation
        text = INVITATION_TEXT.format(url=settings.sign_in_url, day=f"{asked.expires_at:%d %B %Y}")
        id = derived_from(person.id, "invitation", str(asked.number))
        yield Letter(id, person.email, INVITATION, text, asked.asked_at[-1])


def _changes(database: Any) -> Iterator[Waiting]:
    for store in _people(database):
        for due in store.due("letters_due", now()):
            yield _change(store, due)


def _change(store: Any, due: Due) -> Waiting:
    told: list[str] = []

    def letters() -> Iterator[Letter]:
        for letter_id, email in store.get(due.practice_id, due.id).former_emails.items():
            yield Letter(letter_id, email, CHANGED, CHANGED_TEXT, now())
            told.append(letter_id)

    def settle() -> None:
        store.change(due.practice_id, due.id, lambda person: person.letters_sent(told))

    return Waiting(letters, settle, partial(store.settle, due))


def _send(letter: Letter, settings: Settings) -> None:
    try:
        mail = written(letter, settings.mail_from)
    except ValueError as error:
        _give_up(error, letter.id)
        return
    with _connection(settings) as server:
        server.send_message(mail)
    LETTERS.labels("sent").inc()
    log.info("Letter sent", extra={"letter_id": letter.id})


def _give_up(error: Exception, id: str) -> None:
    """No later try can read it, or address it."""
    log.error("Letter given up", extra={"error": type(error).__name__, "letter_id": id})
    LETTERS.labels("given_up").inc()


def written(letter: Letter, sender: str) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = letter.subject
    mail["From"] = sender
    mail["To"] = letter.to
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(letter.text)
    return mail


def _connection(settings: Settings) -> smtplib.SMTP:
    parts = urlsplit(settings.smtp_url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    # Named, since smtplib would otherwise ask DNS for this machine's name, which can take seconds.
    ours = _domain(settings.mail_from)
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, parts.port or 465, ours, timeout=TIMEOUT, context=context
        )
    else:
        server = smtplib.SMTP(host, parts.port or 25, ours, timeout=TIMEOUT)
    try:
        if parts.username:
            if parts.scheme == "smtp":
                server.starttls(context=context)
            server.login(unquote(parts.username), unquote(parts.password or ""))
    except OSError:
        server.close()
        raise
    return server


def _domain(sender: str) -> str:
    return sender.rstrip(">").rpartition("@")[2]
