"""Creating over HTTP: a repeated request finds what the first one made, and never makes a second.

The id is the UUIDv5 of (practice, caller, route, Idempotency-Key), so the document's own id is the
record of the request: no second document, no window between the two. A repeat is answered with the
present state (200); the same key with another body is refused (422).
"""

import re
from collections.abc import Callable
from functools import wraps
from hashlib import blake2b
from typing import Any, TypeVar

import orjson
from flask import Flask, current_app, g, request

from shared.ids import derived_from
from shared.web.allows import may
from shared.web.context import caller, web
from shared.web.refusals import KeyNeeded, NotHere

View = Callable[..., Any]
V = TypeVar("V", bound=View)

KEY_PATTERN = r"^[!-~]([ -~]{0,253}[!-~])?$"
_KEY = re.compile(KEY_PATTERN)


def creates(store: Callable[[], Any], read_at: str = "", read: str = "") -> Callable[[V], V]:
    """Store the new aggregate that the view below returns; the view gets its `id`; the innermost decorator.

    `read_at`: where it is read, if not at /v1/ and the last part of the route. `read`: by what action, where
    the route asks for no entitlement to something that whoever repeats a request may have lost since.

    The view only makes the aggregate. If it raises a domain error, an earlier request with the same
    key is answered first: a retry must not fail because the rules have moved on.
    """

    def decorate(view: V) -> V:
        @wraps(view)
        def create(*args: Any, **path: Any) -> Any:
            id = _id()
            fingerprint = _fingerprint()
            try:
                made = view(*args, **path, id=id)
            except tuple(web().problems):
                found, new = store().repeated(caller().practice_id, id, fingerprint), False
                if found is None:
                    raise
            else:
                found, new = store().add(made, fingerprint)
            if read and not new and not may(read, found):
                raise NotHere
            return found, 201 if new else 200, _location(found.id, read_at)

        vars(create)["creates"] = True
        return create  # type: ignore[return-value]

    return decorate


def _id() -> str:
    key = request.headers.get("Idempotency-Key", "").strip(" \t")
    if not _KEY.fullmatch(key):
        raise KeyNeeded(
            "Send Idempotency-Key: 1 to 255 printable ASCII characters, new for each thing to create."
        )
    by = caller()
    # All of the path: a view is not handed the variable by which an aggregate was loaded.
    path = sorted((request.view_args or {}).items())
    route = [str(request.endpoint), *(f"{name}={value}" for name, value in path)]
    return derived_from("request", by.practice_id, by.kind, by.id, *route, key)


def _fingerprint() -> str:
    """Of the JSON, however it was spaced. Keyed, since a plain hash of a short text can be guessed."""
    body = orjson.dumps(g.get("body", {}), option=orjson.OPT_SORT_KEYS)
    return blake2b(body, key=web().fingerprint_key, digest_size=32).hexdigest()


def _location(id: str, read_at: str) -> dict[str, str]:
    """Where it can be read: POST …/goals makes what GET /v1/goals/<goal_id> reads, if there is that route."""
    readings = web().readings
    making = str(request.url_rule)
    if making not in readings:
        readings[making] = _reading(current_app, read_at or making.rsplit("/", 1)[-1])
    return {"Location": readings[making] + id} if readings[making] else {}


def _reading(app: Flask, noun: str) -> str:
    """What comes before the id where one of these is read; empty where there is no such route."""
    pattern = re.compile(rf"(/v1/{re.escape(noun)}/)<\w+>")
    for rule in app.url_map.iter_rules():
        match = pattern.fullmatch(rule.rule)
        if match and "GET" in (rule.methods or ()):
            return match[1]
    return ""
