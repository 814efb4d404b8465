"""One attempt: a signed POST to an endpoint, at most 15 seconds, no redirects, the answer's body unread."""

import asyncio
import ssl
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp
from aiohttp.resolver import AsyncResolver

from services.partners import signing
from services.partners.addresses import AddressRefused, UrlRefused, check_url, checking_sockets
from services.partners.domain import Attempt, Endpoint, PublicEvent
from shared.clock import now
from shared.settings import Settings

TIMEOUT = aiohttp.ClientTimeout(total=15, sock_connect=5)
IN_FLIGHT = 100
HEADERS = {"content-type": "application/cloudevents+json", "user-agent": "Tandem-Webhooks/1"}


def open_session(development: bool) -> aiohttp.ClientSession:
    """A session that dials public addresses only; call it inside the running loop."""
    connector = aiohttp.TCPConnector(
        limit=IN_FLIGHT,
        # asyncio's own resolver is a few threads: a hundred dead names stopped everything for 25 s.
        resolver=AsyncResolver(timeout=2.0, tries=2),
        socket_factory=checking_sockets(development),
    )
    return aiohttp.ClientSession(
        connector=connector,
        timeout=TIMEOUT,
        headers=HEADERS,
        cookie_jar=aiohttp.DummyCookieJar(),
        auto_decompress=False,
    )


async def call(
    session: aiohttp.ClientSession, endpoint: Endpoint, event: PublicEvent, settings: Settings
) -> tuple[Attempt, timedelta | None]:
    """What came of it, and how long the receiver asked us to wait."""
    at, began = now(), time.monotonic()
    status, error, retry_after = None, None, None
    try:
        check_url(endpoint.url, settings.development)
        body = event.envelope.encode()
        secret = signing.unseal(endpoint.sealed_secret, settings.key("webhooks"))
        headers = signing.headers(secret, event.id, int(at.timestamp()), body)
        async with session.post(endpoint.url, data=body, headers=headers, allow_redirects=False) as response:
            status = response.status
            retry_after = _retry_after(response.headers, at)
    except Exception as failure:  # noqa: BLE001 - what has no reason is raised again
        error = _reason(failure)
    return Attempt(at, int((time.monotonic() - began) * 1000), status, error), retry_after


def _reason(failure: Exception) -> str:
    """A word for the app's developer that says nothing of our network; what has none is our own fault."""
    for kind, reason in _REASONS:
        if isinstance(failure, kind) or isinstance(failure.__cause__, kind):
            return reason
    raise failure


_REASONS: tuple[tuple[type[Exception] | tuple[type[Exception], ...], str], ...] = (
    ((UrlRefused, AddressRefused), "address_refused"),
    (asyncio.TimeoutError, "timeout"),
    (aiohttp.ClientConnectorDNSError, "name_not_found"),
    ((aiohttp.ClientSSLError, ssl.SSLError), "tls"),
    ((aiohttp.ClientError, OSError), "connection"),
)


def _retry_after(headers: Mapping[str, str], at: datetime) -> timedelta | None:
    """RFC 9110, 10.2.3: seconds or an HTTP date; anything else counts as absent."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=min(int(text[:9]), 10**8))
    try:
        until = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return max(until.replace(tzinfo=until.tzinfo or UTC) - at, timedelta(0))
