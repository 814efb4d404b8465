"""Lists in pages: an opaque cursor, signed, that only its own caller can use on its own list."""

from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from typing import Any

import orjson
from flask import request
from itsdangerous import BadData, URLSafeSerializer

from shared.web.context import caller, web
from shared.web.refusals import Invalid

Fetch = Callable[[int, str | None], Sequence[Any]]


def page(query: Mapping[str, Any], fetch: Fetch, place: Callable[[Any], str] | None = None) -> dict[str, Any]:
    """One page for a loaded `PageQuery`; `fetch(limit, after)` gives items after the last id, or `place`."""
    limit = query["limit"]
    cursors = _cursors(query)
    after = _read(cursors, query["cursor"]) if "cursor" in query else None
    # One more than asked for tells whether there is a next page.
    found = fetch(limit + 1, after)
    items = list(found[:limit])
    more = len(found) > limit
    return {"items": items, "next": cursors.dumps((place or _id_of)(items[-1])) if more else None}


def _read(cursors: URLSafeSerializer, cursor: str) -> str:
    try:
        return str(cursors.loads(cursor))
    except BadData as error:
        raise Invalid({"query": {"cursor": ["Take it from `next` of the page before."]}}) from error


def _cursors(query: Mapping[str, Any]) -> URLSafeSerializer:
    """The signer for this caller's list with these filters: its salt is what the cursor is bound to."""
    by = caller()
    filters = {name: value for name, value in query.items() if name not in ("limit", "cursor")}
    bound = [by.practice_id, by.kind, by.id, request.endpoint, request.view_args, filters]
    salt = orjson.dumps(bound, option=orjson.OPT_SORT_KEYS, default=str)
    return URLSafeSerializer(web().cursor_key, salt=salt, signer_kwargs={"digest_method": sha256})


def _id_of(item: Any) -> str:
    return str(item["id"] if isinstance(item, Mapping) else item.id)
