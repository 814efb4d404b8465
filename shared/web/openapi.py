"""The OpenAPI 3.1 document at /v1/openapi.json, and Swagger UI at /v1/docs, asking nobody outside."""

from http import HTTPStatus
from importlib.resources import files
from typing import Any

import flask_smorest
import marshmallow as ma
import orjson
from flask import Flask, Response, send_file
from werkzeug.routing import UnicodeConverter

from shared.web.allows import allows
from shared.web.creates import KEY_PATTERN

_PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Tandem</title><link rel="stylesheet" href="docs/swagger-ui.css"></head>
<body><div id="page"></div><script src="docs/swagger-ui-bundle.js"></script>
<script src="docs/start.js"></script></body>
</html>
"""
_START = 'SwaggerUIBundle({url: "openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null});\n'
_PAGE_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)


class IdConverter(UnicodeConverter):
    """Every path variable is an id: anything else is no address at all."""

    regex = "[0-9A-Za-z_-]{1,64}"

    def __init__(self, map: Any) -> None:
        super().__init__(map)
        self.regex = type(self).regex


class Problem(ma.Schema):
    """RFC 9457."""

    class Meta:
        unknown = ma.RAISE

    type = ma.fields.String(required=True)
    title = ma.fields.String(required=True)
    status = ma.fields.Integer(required=True)
    detail = ma.fields.String(required=True)
    errors = ma.fields.Dict()
    correlation_id = ma.fields.String(required=True, allow_none=True)


class Api(flask_smorest.Api):
    """flask-smorest's, with errors as problems, and headers and token documented once."""

    DEFAULT_ERROR_RESPONSE_NAME = None
    ERROR_SCHEMA = Problem

    def __init__(self, app: Flask, title: str) -> None:
        super().__init__(
            app, spec_kwargs={"title": title, "version": "1", "openapi_version": "3.1.0", "info": _INFO}
        )
        self.register_converter(
            IdConverter, lambda _: {"type": "string", "pattern": f"^{IdConverter.regex}$"}
        )

    def _register_error_handlers(self) -> None:
        """They are in problems.py."""

    def _register_responses(self) -> None:
        components = self.spec.components
        components.security_scheme("bearer", {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"})
        for name, parameter in _PARAMETERS.items():
            components.parameter(name, "header", parameter)
        for status in HTTPStatus:
            content = {"application/problem+json": {"schema": Problem}}
            response = {"description": status.phrase, "content": content}
            components.response(str(status.value), response, lazy=True)
            # flask-smorest names responses by phrase: its 422 of `arguments`.
            components.response(status.name, response, lazy=True)


_INFO = {
    "description": "Ids are opaque, times RFC 3339 in UTC. Refusals are problems (RFC 9457); "
    "who is not entitled cannot tell a foreign record from an absent one."
}
_PARAMETERS: dict[str, dict[str, Any]] = {
    "IfMatch": {
        "name": "If-Match",
        "required": True,
        "description": "The ETag of the version you saw",
        "schema": {"type": "string", "pattern": '^"[1-9][0-9]{0,9}"$'},
    },
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "required": True,
        "description": "New for each thing to create; the same again for a retry",
        "schema": {"type": "string", "pattern": KEY_PATTERN},
    },
}


def serve_openapi(app: Flask, api: Api) -> None:
    """Add the document and the page; call it after all blueprints are registered."""
    document = orjson.dumps(api.spec.to_dict(), option=orjson.OPT_NON_STR_KEYS)

    def add(path: str, answer: Any) -> None:
        app.add_url_rule(f"/v1/{path}", path, allows("openapi.read", public=True)(answer))

    add("openapi.json", lambda: Response(document, content_type="application/json"))
    add(
        "docs",
        lambda: Response(_PAGE, headers={"Content-Security-Policy": _PAGE_POLICY}, mimetype="text/html"),
    )
    add("docs/start.js", lambda: Response(_START, mimetype="text/javascript"))
    add("docs/swagger-ui.css", lambda: _asset("swagger-ui.css"))
    add("docs/swagger-ui-bundle.js", lambda: _asset("swagger-ui-bundle.js"))


def _asset(name: str) -> Response:
    return send_file(str(files("flask_swagger_ui") / "dist" / name))
