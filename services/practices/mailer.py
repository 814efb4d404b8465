"""Sends one-time codes and invitations by mail, at least once each, and only to addresses that are known.

It works apart from the request that asked, so that no answer takes longer for a known address. The
mail does not say what it is about: others may see a person's mailbox.
"""

import logging
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from functools import partial
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.fernet import InvalidToken
from prometheus_client import Counter, Gauge

from services.practices.domain.invitations import Invitation
from services.practices.sign_in import SignIn
from services.practices.store.people import Clients, Due, Members
from services.practices.store.sign_in import Code, SignIns
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
    "Letters, by what they became: sent, put_off (all codes to one address, tried again) or given_up.",
    ["became"],
    registry=KEEPING,
)
WAITING = Gauge("tandem_letters_waiting", "Addresses with codes that are not sent yet.", registry=KEEPING)
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
SUBJECT = "Your code"
TEXT = """{code}

It works once, for ten minutes. If you did not ask for it, there is nothing you need to do.
"""
INVITATION_SUBJECT = "You are invited"
INVITATION_TEXT = """You are expected here:

{url}

Enter the e-mail address to which this came, and you get a code by mail. It is possible until {day}.
If you do not know what this is about, there is nothing you need to do.
"""


def send_letters(database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
    """The worker's timer: one worker at a time sends, as soon as a letter is asked for."""
    lease, sign_ins = Lease(database["leases"], "mailer", me=me), SignIns(database)
    asks(WAITING, sign_ins.waiting)
    asks(INVITATIONS, lambda: sum(people.letters() for people in _people(database)))
    asks(OLDEST, lambda: sign_ins.oldest(now()))
    wakeup = Wakeup(database, ["sign_ins", "members", "clients"], ("due", "invitation_due"))
    wakeup.start()
    while not stopping.is_set():
        try:
            send_due(database, settings, lease, stopping)
            send_invitations(database, settings, lease, stopping)
        except StoreUnavailable as error:
            log.warning("Letters not looked for", extra={"error": type(error).__name__})
        wakeup.wait(POLL)
    wakeup.stop()
    lease.release()


def send_due(database: Any, settings: Settings, lease: Lease, stopping: threading.Event) -> None:
    """One round; it ends early where another worker took over, or this one is to end."""
    for address, codes in SignIns(database).to_send(now()):
        if stopping.is_set() or not lease.hold():
            return
        # Each step of SMTP may take up to TIMEOUT, which is longer than the lease.
        with lease.renewed():
            _send_all(database, settings, address, codes, lease)


def send_invitations(database: Any, settings: Settings, lease: Lease, stopping: threading.Event) -> None:
    """One round of these; whoever waits for a code does not wait for them."""
    for people in _people(database):
        for due in people.due("invitation_due", now()):
            send_due(database, settings, lease, stopping)
            if stopping.is_set() or not lease.hold():
                return
            with lease.renewed():
                people.settle(due, _try_to_invite(people, due, settings))


def _people(database: Any) -> tuple[Members, Clients]:
    return Members(database), Clients(database)


def _try_to_invite(people: Members | Clients, due: Due, settings: Settings) -> datetime | None:
    """When to try again, where it is not sent."""
    try:
        person = people.get(due.practice_id, due.id)
        # Between the two somebody may have taken the invitation back.
        if person.invitation_due and person.invitation:
            _invite(person.id, person.email, person.invitation, settings)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - as below
        log.warning("Letter not sent", extra={"error": type(error).__name__})
        LETTERS.labels("put_off").inc()
        return now() + AGAIN_AFTER
    return None


def _invite(person_id: str, email: str, invitation: Invitation, settings: Settings) -> None:
    text = INVITATION_TEXT.format(url=settings.sign_in_url, day=f"{invitation.expires_at:%d %B %Y}")
    id, asked_at = derived_from(person_id, "invitation", str(invitation.number)), invitation.asked_at[-1]
    letter = partial(written, email, INVITATION_SUBJECT, text, id, settings.mail_from, asked_at)
    _send(letter, settings, letter_id=id)


def _send_all(database: Any, settings: Settings, address: str, codes: list[Code], lease: Lease) -> None:
    sign_ins, sign_in = SignIns(database), SignIn(database, settings)
    try:
        for code, email in _letters(sign_in, address, codes):
            if not lease.held:
                # Left as it was, for whoever took over.
                return
            _send(partial(_code_letter, sign_in, code, email, settings), settings, code_id=code.id)
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - as told below
        # The mail server is away, or one person's record cannot be read: it holds up no other letter.
        log.warning("Letter not sent", extra={"error": type(error).__name__})
        sign_ins.put_off(address, now() + AGAIN_AFTER)
        LETTERS.labels("put_off").inc()
    else:
        sign_ins.settle(address, codes)


def _letters(sign_in: SignIn, address: str, codes: list[Code]) -> Iterator[tuple[Code, str]]:
    """Each code once to each spelling of the address: what was typed is never mailed to."""
    emails = sorted({person.email for person in sign_in.people(address)})
    return ((code, email) for code in codes if code.expires_at > now() for email in emails)


def _code_letter(sign_in: SignIn, code: Code, email: str, settings: Settings) -> EmailMessage:
    digits = sign_in.unsealed(code)
    text = TEXT.format(code=f"{digits[:4]} {digits[4:]}")
    return written(email, SUBJECT, text, code.id, settings.mail_from, code.made_at)


def _send(letter: Callable[[], EmailMessage], settings: Settings, **about: str) -> None:
    try:
        mail = letter()
    except (ValueError, InvalidToken) as error:
        # No later try can read it, or address it.
        log.error("Letter given up", extra={"error": type(error).__name__, **about})
        LETTERS.labels("given_up").inc()
        return
    with _connection(settings) as server:
        server.send_message(mail)
    LETTERS.labels("sent").inc()
    log.info("Letter sent", extra=about)


def written(email: str, subject: str, text: str, id: str, sender: str, at: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = subject
    mail["From"] = sender
    mail["To"] = email
    mail["Date"] = format_datetime(at)
    # The same for every repeat, so that repeats are recognised.
    mail["Message-ID"] = f"<{id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text)
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
