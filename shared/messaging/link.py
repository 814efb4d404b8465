"""One connection to the broker, used by one thread.

- Socket waits are bounded: a broker that falls silent is noticed, not waited for.
- Heartbeats go on while the thread is busy elsewhere (a slow handler, a slow database): a connection
  that lapses meanwhile would make the same messages come again and again.
- After any error the link is closed and its delivery tags are forgotten; nothing is acted on twice.
- With amqps the broker's certificate is checked, and that it is the certificate of this host.
"""

import contextlib
import logging
import math
import random
import select
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from typing import Any, cast

import amqp
from amqp.exceptions import AMQPError
from kombu import Connection

log = logging.getLogger(__name__)

LOST = (AMQPError, OSError)
"""What any use of a link raises when the broker is away, or will not."""

UNREACHABLE = (AMQPError, ConnectionError, TimeoutError, socket.gaierror, ssl.SSLError)
"""Those of them that can only come from a broker."""

HEARTBEAT = 10
_SILENCE = 8
"""Seconds of silence after which an answer that the broker owes is given up."""
_LONGEST_PAUSE = 5.0
_READ_AHEAD = 8_192
_TOGETHER = 16_384


class Link:
    def __init__(self, url: str, name: str) -> None:
        """`url` may name brokers of one cluster, separated by ";": the first that answers is taken."""
        self._brokers = url.count(";") + 1
        self._kombu = Connection(
            url,
            connect_timeout=5,
            heartbeat=HEARTBEAT,
            transport_options={
                # py-amqp's default of 1 s cuts connections that a short hiccup would have kept.
                "socket_settings": {socket.TCP_USER_TIMEOUT: 20_000},
                "client_properties": {"connection_name": name},
            },
        )
        self._amqp: Any = None
        self._arrivals = select.poll()
        self._wire = threading.Lock()
        self._closed = threading.Event()
        self._out: Any = None

    def open(self) -> None:
        self._amqp = self._establish(self._brokers - 1)
        self._amqp.sock.settimeout(_SILENCE)
        _read_ahead(self._amqp.transport)
        self._out = _Outgoing(self._amqp.transport)
        self._arrivals.register(self._amqp.sock, select.POLLIN)
        threading.Thread(target=self._keep_alive, args=(self._amqp,), name="heartbeat", daemon=True).start()

    def _establish(self, others: int) -> Any:
        # py-amqp compares the certificate with a name only where it is given one; kombu makes None the URL's
        # host, once: the next broker needs its own.
        self._kombu.ssl = {"server_hostname": None} if self._kombu.transport_cls == "amqps" else False
        try:
            return self._kombu.transport.establish_connection()
        except LOST:
            if not others:
                raise
        # Here and not at the next attempt, which is made by another link that would begin with the first.
        self._kombu.maybe_switch_next()
        return self._establish(others - 1)

    @property
    def user(self) -> str:
        """Whom the broker takes this link for."""
        return str(self._kombu.userid)

    def channel(self) -> amqp.Channel:
        channel = self._amqp.channel()
        # Bodies stay bytes, whatever a sender claims their encoding to be.
        channel.auto_decode = False
        return cast(amqp.Channel, channel)

    def gather(self) -> None:
        """What is written from now on may wait for more of it, until the next `drain`."""
        self._out.gathering = True

    def drain(self, timeout: float) -> bool:
        """Let one frame that the broker sent take effect, waiting for it at most `timeout` seconds."""
        self.flush()
        if not self._arrived(timeout):
            return False
        with self._wire:
            # One frame, of which a part is here. py-amqp's own wait with timeout 0 would spin for ever
            # on a frame whose end never comes.
            self._amqp.blocking_read()
        return True

    def flush(self) -> None:
        """Send on its way what was gathered."""
        if self._out.gathering:
            self._out.flush()

    def _arrived(self, timeout: float) -> bool:
        if self._amqp.transport._read_buffer:
            return True  # read ahead
        unread = getattr(self._amqp.sock, "pending", None)
        if unread and unread():
            return True  # TLS has taken it from the socket already
        return bool(self._arrivals.poll(math.ceil(timeout * 1000)))

    def beat(self) -> None:
        """Raise if the broker fell silent. Drain first: what lies unread in the socket is a sign of life."""
        with self._wire:
            self._amqp.heartbeat_tick()

    def close(self) -> None:
        """Take leave of the broker."""
        with contextlib.suppress(Exception):
            self.flush()
            self._amqp.close()
        self.drop()

    def drop(self) -> None:
        """Leave without a word: after an error there may be nobody to answer."""
        self._closed.set()
        if self._amqp is not None:
            with contextlib.suppress(Exception):
                self._amqp.collect()

    def _keep_alive(self, connection: Any) -> None:
        while not self._closed.wait(HEARTBEAT / 4):
            # Held by the owner while it reads.
            if self._wire.acquire(blocking=False):
                try:
                    connection.send_heartbeat()
                    self.flush()
                except Exception as error:  # noqa: BLE001 - the owner meets the same error and tells
                    log.debug("Heartbeat not sent", extra={"error": type(error).__name__})
                    return
                finally:
                    self._wire.release()


def _read_ahead(transport: Any) -> None:
    """Take in several frames with one system call: 9 a message otherwise, a quarter of all our CPU time.

    py-amqp's `_read` keeps what it got beyond what it asked for, but asks for no more than it needs.
    """
    receive = transport._quick_recv
    transport._quick_recv = lambda wanted: receive(max(wanted, _READ_AHEAD))


class _Outgoing:
    """Sends several frames with one system call: one a message costs a quarter of the relay's CPU time.

    The broker's is saved too, which wakes a process for each piece that comes in.
    """

    def __init__(self, transport: Any) -> None:
        self._send = transport._write
        self._kept = bytearray()
        # The heartbeat comes from another thread.
        self._lock = threading.Lock()
        self.gathering = False
        transport._write = self._write

    def _write(self, frames: memoryview) -> None:
        with self._lock:
            self._kept += frames
            if not self.gathering or len(self._kept) >= _TOGETHER:
                self._send_kept()

    def flush(self) -> None:
        with self._lock:
            self.gathering = False
            self._send_kept()

    def _send_kept(self) -> None:
        frames, self._kept = self._kept, bytearray()
        try:
            self._send(frames)
        except BaseException:
            # The heartbeat may be the one who meets it. Nothing may follow what is gone, or the broker's
            # confirm of a later message would be taken for one of those.
            self._send = _refuse
            raise


def _refuse(frames: Any) -> None:
    raise ConnectionError("An earlier send on this connection failed.")


@contextlib.contextmanager
def linked(url: str, name: str) -> Iterator[Link]:
    link = Link(url, name)
    try:
        link.open()
        yield link
    except BaseException:
        link.drop()
        raise
    link.close()


class Outage:
    """Tells once that something is away and once that it is back; paces the attempts between."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._since: float | None = None
        self._attempts = 0

    def over(self) -> None:
        if self._since is not None:
            seconds = round(time.monotonic() - self._since, 1)
            log.info(f"{self._what} is back", extra={"seconds": seconds})
        self._since, self._attempts = None, 0

    def met(self, error: BaseException) -> float:
        """Seconds to wait before trying again."""
        if self._since is None:
            self._since = time.monotonic()
            log.warning(f"{self._what} is away", extra={"error": type(error).__name__})
        self._attempts += 1
        # Bounded before it is raised: after an hour away 2**attempts is no float any more.
        return min(_LONGEST_PAUSE, 0.1 * 2 ** min(self._attempts, 10)) * random.uniform(0.5, 1.0)  # noqa: S311
