"""Asking practices over HTTP as somebody."""

from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from shared.ids import new_id
from tests.practices.conftest import World


class Asking:
    """One person's or app's requests, each under an Idempotency-Key and an If-Match of its own."""

    def __init__(self, world: World, http: FlaskClient, who: Any) -> None:
        self._http = http
        self._headers = world.bearer(who)

    def __call__(
        self, method: str, path: str, match: Any = None, key: str | None = None, **rest: Any
    ) -> TestResponse:
        headers = {**self._headers, "Idempotency-Key": key or new_id()}
        if match is not None:
            headers["If-Match"] = f'"{match}"'
        return self._http.open(f"/v1{path}", method=method, headers=headers, **rest)

    def get(self, path: str) -> TestResponse:
        return self("GET", path)

    def post(self, path: str, body: Any = None, match: Any = None, key: str | None = None) -> TestResponse:
        return self("POST", path, match, key, json={} if body is None else body)

    def put(self, path: str, body: Any = None, match: Any = None) -> TestResponse:
        return self("PUT", path, match, json={} if body is None else body)

    def patch(self, path: str, body: Any, match: Any = None) -> TestResponse:
        return self("PATCH", path, match, json=body)

    def delete(self, path: str, match: Any = None) -> TestResponse:
        return self("DELETE", path, match)


def problem(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["type"].removeprefix("/problems/")
