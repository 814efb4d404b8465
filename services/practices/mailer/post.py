"""Letters to the mail server, one by one, and what became of each."""

import logging
import smtplib
import ssl
from urllib.parse import unquote, urlsplit

from prometheus_client import Counter

from services.practices.mailer.letters import Letter, domain, written
from shared.messaging.metrics import KEEPING
from shared.settings import Settings

log = logging.getLogger(__name__)

LETTERS = Counter(
    "tandem_letters",
    "Letters, by what they became: sent, put_off (all for one, tried again) or given_up.",
    ["became"],
    registry=KEEPING,
)
for _became in ("sent", "put_off", "given_up"):
    LETTERS.labels(_became)

TIMEOUT = 10.0


def send(letter: Letter, settings: Settings) -> None:
    try:
        mail = written(letter, settings.mail_from)
    except ValueError as error:
        give_up(error, letter.id)
        return
    try:
        with _connection(settings) as server:
            server.send_message(mail)
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
        if not _is_for_good(error):
            raise
        give_up(error, letter.id)
        return
    LETTERS.labels("sent").inc()
    log.info("Letter sent", extra={"letter_id": letter.id})


def give_up(error: Exception, id: str) -> None:
    """No later try can read it, or address it, or is taken."""
    log.error("Letter given up", extra={"error": type(error).__name__, "letter_id": id})
    LETTERS.labels("given_up").inc()


def _is_for_good(error: smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) -> bool:
    """A 5yz reply: the same request is not to be sent again (RFC 5321, 4.2.1)."""
    if isinstance(error, smtplib.SMTPDataError):
        return error.smtp_code >= 500
    return all(code >= 500 for code, _ in error.recipients.values())


def _connection(settings: Settings) -> smtplib.SMTP:
    parts = urlsplit(settings.smtp_url)
    host, context = parts.hostname or "localhost", ssl.create_default_context()
    # Named, since smtplib would otherwise ask DNS for this machine's name, which can take seconds.
    ours = domain(settings.mail_from)
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
