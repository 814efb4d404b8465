"""How a view's arguments are read: bounded JSON bodies, single query values, nothing unknown."""

from typing import Any, NoReturn

import marshmallow as ma
from flask import Request, g, request
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import RequestEntityTooLarge

from shared.web import bounds
from shared.web.refusals import BodyMalformed, BodyNotJson, Invalid

_PLACES = {"json": "body", "query": "query"}


class Parser(FlaskParser):
    DEFAULT_UNKNOWN_BY_LOCATION = {"json": ma.RAISE, "query": ma.RAISE}  # noqa: RUF012 (webargs declares it so)

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        # Kept for the fingerprint of a request that creates.
        g.body = _body(req)
        return g.body

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        repeated = [name for name, values in req.args.lists() if len(values) > 1]
        if repeated:
            raise Invalid({"query": {name: ["Give it once."] for name in repeated}})
        return super().load_querystring(req, schema)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:
        messages = error.messages if isinstance(error.messages, dict) else {}
        raise Invalid({_PLACES.get(place, place): found for place, found in messages.items()}) from error


def read_body(req: Request) -> bytes:
    """The whole body or none: one that was cut off must not be acted on."""
    if "Transfer-Encoding" in req.headers:
        # werkzeug's own stream would end quietly where its limit is, whatever follows.
        raw = req.environ["wsgi.input"].read(bounds.MOST_BYTES + 1)
    else:
        raw = req.get_data()
    if req.content_length is not None and len(raw) < req.content_length:
        raise BodyMalformed("The body is shorter than Content-Length says; send all of it.")
    if len(raw) > bounds.MOST_BYTES:
        raise RequestEntityTooLarge
    return raw


def refuse_unexpected(takes: frozenset[str]) -> None:
    """Refuse a query or a body where the route declares none."""
    if "query" not in takes and request.args:
        raise Invalid({"query": {name: ["Unknown field."] for name in request.args}})
    if "json" not in takes and read_body(request).strip() not in (b"", b"{}"):
        raise Invalid({"body": ["This request takes no body."]})


def _body(req: Request) -> dict[str, Any]:
    charset = req.mimetype_params.get("charset", "utf-8").lower()
    raw = read_body(req)
    if not raw:
        raise BodyMalformed("Send one JSON object.")
    if req.mimetype != "application/json" or charset != "utf-8":
        raise BodyNotJson("Send JSON in UTF-8, with Content-Type: application/json.")
    return bounds.parse(raw)
