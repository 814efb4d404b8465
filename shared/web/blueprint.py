"""Requests in: a Blueprint whose routes document what guards them, and answer with ETags and problems."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from functools import wraps
from typing import Any

import flask_smorest
from flask_smorest.utils import unpack_tuple_response

from shared.web.allows import SAFE, Guard, etag
from shared.web.parser import Parser

Doc = dict[Any, Any]


class Blueprint(flask_smorest.Blueprint):
    """flask-smorest's, with the service's table from domain error to status."""

    ARGUMENTS_PARSER = Parser()

    def __init__(
        self, *args: Any, problems: Mapping[type[Exception], int] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.problems = dict(problems or {})
        self._prepare_doc_cbks.append(self._prepare_guard_doc)

    def arguments(self, schema: Any, **rest: Any) -> Callable[[Any], Any]:
        """flask-smorest's, which would make the schema anew for every request."""
        return super().arguments(schema() if isinstance(schema, type) else schema, **rest)

    def response(self, status_code: int, schema: Any = None, **rest: Any) -> Callable[[Any], Any]:
        """flask-smorest's, and the ETag of a single aggregate."""
        respond = super().response(status_code, schema, **rest)

        def decorate(view: Callable[..., Any]) -> Any:
            @wraps(view)
            def tagged(*args: Any, **kwargs: Any) -> Any:
                result, status, headers = unpack_tuple_response(view(*args, **kwargs))
                if isinstance(getattr(result, "version", None), int):
                    headers = {**(headers or {}), "ETag": etag(result)}
                return result, status, headers

            return respond(tagged)

        return decorate

    def _prepare_guard_doc(self, doc: Doc, info: Doc, *, method: str, **_: Any) -> Doc:
        guard: Guard | None = info.get("guard")
        if guard is None:
            return doc
        # A name instead of a description is a reference into the components.
        doc.setdefault("summary", guard.inner.__name__.replace("_", " ").capitalize())
        doc.setdefault("parameters", []).extend(_headers(guard, method))
        doc["operationId"] = guard.inner.__name__
        doc["security"] = [] if guard.public else [{"bearer": []}]
        responses = doc.setdefault("responses", {})
        if guard.creates:
            responses[200] = {
                **deepcopy(responses[201]),
                "description": "Made before by this key: its present state",
            }
            responses[201].setdefault("headers", {})["Location"] = {"schema": {"type": "string"}}
        if guard.creates or guard.store:
            _tag(responses)
        for status in sorted({*_statuses(guard, method), *self.problems.values()} - responses.keys()):
            responses[status] = str(status)
        return doc


def _headers(guard: Guard, method: str) -> list[str]:
    conditional = ["IfMatch"] if guard.changes(method.upper()) else []
    return conditional + (["IdempotencyKey"] if guard.creates else [])


def _tag(responses: Doc) -> None:
    for status in {200, 201} & responses.keys():
        responses[status].setdefault("headers", {})["ETag"] = {"schema": {"type": "string"}}


def _statuses(guard: Guard, method: str) -> set[int]:
    statuses = {400, 404, 414, 422, 503}
    if not guard.public:
        statuses |= {401}
    if guard.changes(method.upper()):
        statuses |= {409, 412, 428}
    if method.upper() not in SAFE:
        statuses |= {413}
    if "json" in guard.takes:
        statuses |= {415}
    return statuses
