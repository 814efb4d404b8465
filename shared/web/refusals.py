"""What HTTP itself refuses, before a service's own rules are asked: one class each, one sentence each."""

from collections.abc import Mapping
from typing import Any, ClassVar


class Refusal(Exception):
    """The request cannot be served."""

    status: ClassVar[int] = 400
    headers: ClassVar[Mapping[str, str]] = {}
    errors: Mapping[str, Any] | None = None


class TokenNeeded(Refusal):
    """An access token is needed."""

    status = 401
    headers: ClassVar = {"WWW-Authenticate": 'Bearer realm="tandem"'}


class TokenInvalid(Refusal):
    """The access token is not valid."""

    status = 401
    headers: ClassVar = {"WWW-Authenticate": 'Bearer realm="tandem", error="invalid_token"'}


class NotHere(Refusal):
    """There is nothing here."""

    status = 404


class VersionNeeded(Refusal):
    """If-Match is missing."""

    status = 428


class VersionDiffers(Refusal):
    """It is not the version you saw."""

    status = 412


class BodyMalformed(Refusal):
    """The body cannot be read."""


class BodyNotJson(Refusal):
    """The body is not declared as JSON."""

    status = 415


class KeyNeeded(Refusal):
    """Idempotency-Key is missing or malformed."""


class Invalid(Refusal):
    """Some values are not valid."""

    status = 422

    def __init__(self, errors: Mapping[str, Any]) -> None:
        super().__init__("Correct what `errors` names and send the request again.")
        self.errors = errors


class TryLater(Refusal):
    """This cannot be answered at present."""

    status = 503
    headers: ClassVar = {"Retry-After": "5"}
