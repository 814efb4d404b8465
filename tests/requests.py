"""A service's application with callers who need no real token: tokens have tests of their own."""

import base64
from typing import Any

from werkzeug.test import TestResponse

from shared.security.caller import Caller
from shared.security.tokens import TokenRefused
from shared.settings import Settings
from shared.web.application import create_app

CONTACT_KEY = base64.b64encode(bytes(range(32))).decode()
"""Private or public, as anything is one."""
MASTER_KEY = base64.b64encode(bytes(range(96))).decode()


class NamedCallers:
    """Takes `kind:id:practice` for a token."""

    def verify(self, token: str) -> Caller:
        kind, _, rest = token.partition(":")
        id, _, practice_id = rest.partition(":")
        if kind not in ("member", "client", "app") or not practice_id:
            raise TokenRefused("Not a named caller.")
        return Caller(id, kind, practice_id, "token")  # type: ignore[arg-type]


def settings_of(service: str, **rest: str) -> Settings:
    environ = {
        "TANDEM_ENVIRONMENT": "development",
        "TANDEM_MONGO_URL": "mongodb://127.0.0.1:1/",
        "TANDEM_AMQP_URL": "amqp://127.0.0.1:1/",
        "TANDEM_ISSUER": "http://127.0.0.1:1",
        "TANDEM_JWKS_URL": "http://127.0.0.1:1/jwks.json",
        "TANDEM_SECRET_KEY": base64.b64encode(b"tests" * 8).decode(),
        "TANDEM_MASTER_KEY": MASTER_KEY,
        "TANDEM_SMTP_URL": "smtp://127.0.0.1:1",
        "TANDEM_CONTACT_PUBLIC_KEY": CONTACT_KEY,
        "TANDEM_CONTACT_PRIVATE_KEY": CONTACT_KEY,
        "TANDEM_MAIL_FROM": "sign-in@tandem.test",
    }
    return Settings.read(service, environ | {f"TANDEM_{name.upper()}": value for name, value in rest.items()})


class Requests:
    """Sends requests as one caller, and creates with a new Idempotency-Key unless one is given."""

    def __init__(self, service: Any, database: Any) -> None:
        self._app = create_app(service, settings_of(service.name), database, NamedCallers())  # type: ignore[arg-type]
        self._keys = 0

    def __call__(self, caller: str, method: str, path: str, **rest: Any) -> TestResponse:
        headers = {"Authorization": f"Bearer {caller}:p" if caller.count(":") == 1 else f"Bearer {caller}"}
        if method == "POST" and "key" not in rest:
            self._keys += 1
            headers["Idempotency-Key"] = f"key-{self._keys}"
        if key := rest.pop("key", None):
            headers["Idempotency-Key"] = key
        if match := rest.pop("match", None):
            headers["If-Match"] = match
        return self._app.test_client().open(path, method=method, headers=headers, **rest)
