"""The worker's timer: whoever waits for a code does not wait for other letters."""

import logging
import threading
from collections.abc import Iterable
from datetime import datetime
from functools import partial
from itertools import chain
from typing import Any

from prometheus_client import Gauge

from services.practices.mailer.letters import Letter
from services.practices.mailer.post import LETTERS, send
from services.practices.mailer.waiting import Waiting, both, changes, codes, invitations
from services.practices.store.codes import Codes
from shared.clock import now
from shared.messaging.metrics import KEEPING
from shared.settings import Settings
from shared.store.changes import Wakeup
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease
from shared.web.metrics import asks

log = logging.getLogger(__name__)

WAITING = Gauge(
    "tandem_letters_waiting",
    "Addresses, devices and people with codes that are not sent yet.",
    registry=KEEPING,
)
INVITATIONS = Gauge(
    "tandem_invitations_waiting", "People whose invitation is not sent yet.", registry=KEEPING
)
CHANGES = Gauge(
    "tandem_address_letters_waiting",
    "People of whom a former address is not told yet that it is one.",
    registry=KEEPING,
)
OLDEST = Gauge(
    "tandem_letters_oldest_seconds", "For how long the oldest of these codes has waited.", registry=KEEPING
)

POLL = 1.0


def send_letters(database: Any, settings: Settings, me: str, stopping: threading.Event) -> None:
    """The worker's timer: one worker at a time sends, as soon as a letter is asked for."""
    lease, store = Lease(database["leases"], "mailer", me=me), Codes(database)
    asks(WAITING, store.waiting)
    asks(OLDEST, lambda: store.oldest(now()))
    for gauge, field in ((INVITATIONS, "invitation_due"), (CHANGES, "letters_due")):
        asks(gauge, partial(_waiting, database, field))
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

    if go_on(codes(database, settings)):
        for other in chain(changes(database), invitations(database, settings)):
            if not go_on(chain(codes(database, settings), [other])):
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
    asked: datetime | None = None
    failed: Exception | None = None
    try:
        for letter in waiting.letters():
            asked = letter.at
            if not lease.held:
                # Left as it was, for whoever took over.
                return
            failed = _send(letter, waiting, settings) or failed
    except StoreUnavailable:
        raise
    except Exception as error:  # noqa: BLE001 - one person's record cannot be read: it holds up no other
        failed = error
    if failed is None:
        waiting.settle()
        return
    log.warning("Letter not sent", extra={"error": type(failed).__name__})
    waiting.put_off(waiting.again_at(asked))
    LETTERS.labels("put_off").inc()


def _send(letter: Letter, waiting: Waiting, settings: Settings) -> Exception | None:
    """Why it could not be sent: it holds up no other."""
    try:
        send(letter, settings)
    except Exception as error:  # noqa: BLE001 - the mail server is away, or will not now
        return error
    waiting.sent(letter)
    return None


def _waiting(database: Any, field: str) -> int:
    return sum(store.waiting(field) for store in both(database))
