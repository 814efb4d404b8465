"""Problems: every refusal is one RFC 9457 document, and none repeats what was sent.

A service maps its domain errors to statuses; the class's docstring becomes the title, the message
the detail, the class's name the type. A 404 is always the very same document, so that whoever is
not entitled cannot tell a foreign record from an absent one.
"""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

import orjson
from flask import Flask, Response
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import HTTPException

from shared.correlation import correlation_id
from shared.security.tokens import KeysUnavailable
from shared.store.aggregates import KeyReused, OutboxFull, StaleVersion
from shared.store.client import StoreUnavailable
from shared.web.refusals import NotHere, Refusal, TryLater

OF_THE_STORE: Mapping[type[Exception], int] = {KeyReused: 422, StaleVersion: 412}
"""What the store may raise in any service."""

_BUSY = (OutboxFull, KeysUnavailable, StoreUnavailable)
_MOST_ERRORS = 50
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_NOT_HERE = NotHere("Nothing at this address is open to you; check the address and who you are signed in as.")
_DETAILS = {
    400: "Send a request that HTTP and this API's OpenAPI document allow.",
    408: "Send the whole request without a pause.",
    405: "Use one of the methods that Allow names.",
    413: "Send a body of at most 64 KiB.",
    500: "The fault is ours. Send correlation_id to who runs this platform.",
}
_log = logging.getLogger(__name__)


def register(app: Flask, known: Mapping[type[Exception], int]) -> None:
    """Answer every exception of this application as a problem; `known` is for the domain's."""

    def answer(error: Exception) -> Response:
        return _answer(error, known)

    app.register_error_handler(Exception, answer)


def _answer(error: Exception, known: Mapping[type[Exception], int]) -> Response:
    status = next((known[kind] for kind in type(error).__mro__ if kind in known), None)
    if status == HTTPStatus.NOT_FOUND:
        return _of_refusal(_NOT_HERE)
    if status is not None:
        errors = getattr(error, "errors", None)
        return problem(status, type_of(error), title_of(error), str(error), errors, _later(error))
    if isinstance(error, Refusal):
        return _of_refusal(_NOT_HERE if error.status == HTTPStatus.NOT_FOUND else error)
    if isinstance(error, HTTPException):
        return _of_http(error)
    if isinstance(error, ParseException):
        return _plain(HTTPStatus.BAD_REQUEST)
    if isinstance(error, BlockingIOError):
        return _plain(HTTPStatus.REQUEST_TIMEOUT, {"Connection": "close"})
    if isinstance(error, _BUSY):
        _log.warning("Request put off", exc_info=error)
        return _of_refusal(TryLater("A part of the platform does not answer; repeat the request shortly."))
    _log.error("Request failed", exc_info=error)
    return _plain(HTTPStatus.INTERNAL_SERVER_ERROR)


def _later(error: Exception) -> Mapping[str, str] | None:
    """An error that passes says in `retry_after` after how many seconds."""
    seconds = getattr(error, "retry_after", None)
    return None if seconds is None else {"Retry-After": str(seconds)}


def _of_refusal(error: Refusal) -> Response:
    return problem(error.status, type_of(error), title_of(error), str(error), error.errors, error.headers)


def _of_http(error: HTTPException) -> Response:
    if error.code == HTTPStatus.NOT_FOUND:
        return _of_refusal(_NOT_HERE)
    headers = {name: value for name, value in error.get_headers() if name != "Content-Type"}
    return _plain(error.code or HTTPStatus.INTERNAL_SERVER_ERROR, headers)


def _plain(status: int, headers: Mapping[str, str] | None = None) -> Response:
    title = HTTPStatus(status).phrase
    return problem(status, "about:blank", title, _DETAILS.get(status, f"{title}."), headers=headers)


def problem(
    status: int,
    type: str,
    title: str,
    detail: str,
    errors: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    document = {"type": type, "title": title, "status": status, "detail": detail}
    if errors is not None:
        document["errors"] = _named(errors)
    document["correlation_id"] = correlation_id()
    body = orjson.dumps(document, option=orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, headers, content_type="application/problem+json")


def type_of(error: Exception) -> str:
    """GoalNotOpen → /problems/goal-not-open"""
    return "/problems/" + re.sub(r"(?<!^)(?=[A-Z])", "-", type(error).__name__).lower()


def title_of(error: Exception) -> str:
    return (type(error).__doc__ or type(error).__name__).strip().splitlines()[0]


def _named(errors: Any) -> Any:
    """The errors with no field name but plain ones, since an unknown field's name is input too."""
    if not isinstance(errors, Mapping):
        return errors
    few = list(errors.items())[:_MOST_ERRORS]
    return {_plain_name(name): _named(nested) for name, nested in few}


def _plain_name(name: Any) -> str:
    return str(name) if isinstance(name, int) or _NAME.fullmatch(name) else "(unnamed)"
