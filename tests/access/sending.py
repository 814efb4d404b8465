"""Requests straight into a WSGI application, since werkzeug's client costs more than what it asks for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import orjson

JSON = "application/json"
CORRELATION = "0a1b2c3d-0000-4000-8000-000000000000"
"""Sent with every request, so that answers are the same to the last byte."""


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    content_type: str = ""

    def __str__(self) -> str:
        query = f"?{self.query}" if self.query else ""
        return (
            f"{self.method} {self.path}{query} {self.headers or ''} {self.body[:80].decode(errors='replace')}"
        )


@dataclass(frozen=True)
class Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    @property
    def json(self) -> Any:
        return orjson.loads(self.body)


def send(app: Callable[..., Any], request: Request, token: str | None) -> Answer:
    got: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        got[:] = [(status, headers)]

    answer = app(_environ(request, token), start)
    body = b"".join(answer)
    if hasattr(answer, "close"):
        answer.close()
    ((status, headers),) = got
    return Answer(int(status[:3]), tuple(sorted(headers)), body)


def _environ(request: Request, token: str | None) -> dict[str, Any]:
    headers = request.headers | ({"Authorization": f"Bearer {token}"} if token else {})
    named = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    described = {"CONTENT_TYPE": request.content_type} if request.content_type else {}
    return {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query,
        "SERVER_NAME": "tandem.test",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_LENGTH": str(len(request.body)),
        "HTTP_HOST": "tandem.test",
        "HTTP_X_CORRELATION_ID": CORRELATION,
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **named,
        **described,
    }
