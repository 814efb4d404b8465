"""Sends one-time codes by mail, at least once each, and only to addresses that are known.

It works apart from the request that asked, so that no answer takes longer for a known address. The
mail does not say what it is about: others may see a person's mailbox.
"""

import logging
import smtplib
import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.fernet import InvalidToken
from prometheus_client import Counter, Gauge

from services.practices.sign_in import SignIn
from services.practices.store.sign_in import Code, SignIns
from shared.clock import now
from shared.messaging.metrics import KEEPING
from shared.settings import Settings
from shared.store.changes import Wakeup
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease
from shared.web.metrics import asks

log = logging.getLogger(__name__)

LETTERS = Counter(
    "tandem_letters",
    "Letters with a code, by what they became: sent, put_off (all to one address, tried again) or given_up.",
    ["became"],
    registry=KEEPING,
)
WAITING = Gauge("tandem_letters_waiting", "Addresses with codes that are not sent yet.", registry=KEEPING)
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


def send_letters(database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
    """The worker's timer: one worker at a time sends, as soon as a code is asked for."""
    lease, sign_ins = Lease(database["leases"], "mailer", me=me), SignIns(database)
    asks(WAITING, sign_ins.waiting)
    asks(OLDEST, lambda: sign_ins.oldest(now()))
    wakeup = Wakeup(database, ["sign_ins"])
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
    """One round; it ends early where another worker took over, or this one is to end."""
    for address, codes in SignIns(database).to_send(now()):
        if stopping.is_set() or not lease.hold():
            return
        # Each step of SMTP may take up to TIMEOUT, which is longer than the lease.
        with lease.renewed():
            _send_all(database, settings, address, codes, lease)


def _send_all(database: Any, settings: Settings, address: str, codes: list[Code], lease: Lease) -> None:
    sign_ins, sign_in = SignIns(database), SignIn(database, settings)
    try:
        for code, email in _letters(sign_in, address, codes):
            if not lease.held:
                # Left as it was, for whoever took over.
                return
            _send(sign_in, code, email, settings)
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


def _send(sign_in: SignIn, code: Code, email: str, settings: Settings) -> None:
    try:
        mail = written(email, sign_in.unsealed(code), code.id, settings.mail_from, code.made_at)
    except (ValueError, InvalidToken) as error:
        # No later try can read it, or address it.
        log.error("Letter given up", extra={"error": type(error).__name__, "code_id": code.id})
        LETTERS.labels("given_up").inc()
        return
    with _connection(settings) as server:
        server.send_message(mail)
    LETTERS.labels("sent").inc()
    log.info("Letter sent", extra={"code_id": code.id})


def written(email: str, code: str, id: str, sender: str, at: datetime) -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"] = SUBJECT
    mail["From"] = sender
    mail["To"] = email
    mail["Date"] = format_datetime(at)
    # The same for every repeat, so that repeats are recognised.
    mail["Message-ID"] = f"<{id}@{_domain(sender)}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(TEXT.format(code=f"{code[:4]} {code[4:]}"))
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
