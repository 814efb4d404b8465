"""Calling the platform's routes as anybody outside would: plain HTTP, JSON or a form, and nothing hidden."""

import base64
import json
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode

from scripts.trouble import Trouble

SECONDS = 10.0


@dataclass(frozen=True)
class Answer:
    """What came back; body is the JSON, or None."""

    status: int
    etag: str | None
    body: Any

    def expect(self, *statuses: int) -> "Answer":
        if self.status in statuses:
            return self
        problem = self.body if isinstance(self.body, dict) else {}
        said = problem.get("detail") or problem.get("title") or problem.get("error_description") or self.body
        raise Trouble(f"The platform answered {self.status} ({said}): see make logs.")


def call(
    method: str,
    url: str,
    *,
    token: str | None = None,
    body: Any = None,
    form: dict[str, str] | None = None,
    basic: tuple[str, str] | None = None,
    key: str | None = None,
    match: str | None = None,
) -> Answer:
    """One request; `key` is its Idempotency-Key, `match` its If-Match."""
    headers = {"Accept": "application/json"}
    data = None
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if basic:
        headers["Authorization"] = "Basic " + base64.b64encode(":".join(basic).encode()).decode()
    if form is not None:
        headers["Content-Type"], data = "application/x-www-form-urlencoded", urlencode(form).encode()
    if body is not None:
        headers["Content-Type"], data = "application/json", json.dumps(body).encode()
    headers |= {"Idempotency-Key": key} if key else {}
    headers |= {"If-Match": match} if match else {}
    return _send(urllib.request.Request(url, data, headers, method=method))  # noqa: S310


def _send(request: urllib.request.Request) -> Answer:
    # No proxy: the platform is on this machine, whatever the environment says.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=SECONDS) as response:
            return _answer(response.status, response.headers.get("ETag"), response.read())
    except HTTPError as refusal:
        with refusal:
            return _answer(refusal.code, refusal.headers.get("ETag"), refusal.read())
    except (URLError, OSError) as error:
        raise Trouble(f"{request.full_url} does not answer ({error}): run make up first.") from None


def _answer(status: int, etag: str | None, raw: bytes) -> Answer:
    try:
        return Answer(status, etag, json.loads(raw) if raw else None)
    except ValueError:
        return Answer(status, etag, raw.decode(errors="replace")[:200])
