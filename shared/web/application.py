"""The Flask application of a service: its blueprints, guarded, with everything this folder gives them."""

from typing import Any

import orjson
from flask import Flask
from flask.json.provider import JSONProvider

from shared.security.tokens import Keys, Verifier, published_at
from shared.settings import Settings
from shared.store.client import connect
from shared.web import around, bounds, problems
from shared.web.allows import require_guards
from shared.web.context import Web
from shared.web.openapi import Api, IdConverter, serve_openapi


class _Orjson(JSONProvider):
    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)


def create_app(
    service: Any, settings: Settings, database: Any = None, verifier: Verifier | None = None
) -> Flask:
    """Call it after fork: it connects to the database, unless one is given.

    A service with an attribute `keys`, a function from its database to a key set (RFC 7517), verifies
    tokens with those; every other fetches them from `settings.jwks_url`.
    """
    app = Flask(f"tandem.{service.name}", static_folder=None)
    # The default limit of a body is none (pitfalls.md, HTTP and input).
    app.config.update(MAX_CONTENT_LENGTH=bounds.MOST_BYTES, PROVIDE_AUTOMATIC_OPTIONS=False)
    app.json = _Orjson(app)
    app.url_map.converters["default"] = IdConverter
    app.url_map.merge_slashes = False
    database = connect(settings) if database is None else database
    known = {**problems.OF_THE_STORE}
    for blueprint in service.apis:
        known |= blueprint.problems
    verifier = verifier or _verifier(service, settings, database)
    app.extensions["tandem"] = Web(service, settings, database, verifier, known)
    problems.register(app, known)
    around.accompany(app)
    api = Api(app, title=getattr(service, "title", service.name))
    for blueprint in service.apis:
        api.register_blueprint(blueprint)
    serve_openapi(app, api)
    require_guards(app)
    around.expect_all(app)
    return app


def _verifier(service: Any, settings: Settings, database: Any) -> Verifier:
    own_keys = getattr(service, "keys", None)
    load = (lambda: own_keys(database)) if own_keys else published_at(settings.jwks_url)
    return Verifier(Keys(load), settings.issuer, settings.audience)
