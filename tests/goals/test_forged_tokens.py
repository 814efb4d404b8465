"""Every forged or twisted token before a real route: 401, and one and the same answer, whatever is wrong."""

from typing import Any

import pytest
from flask import Flask

from services.goals.app import service
from shared.security.tokens import Keys, Verifier
from shared.store.indexes import prepare
from shared.web.application import create_app
from tests import hearing
from tests.forged import FORGED, NOW, OURS
from tests.issuer import AUDIENCE, ISSUER
from tests.requests import settings_of

UNSENDABLE = {"empty", "spaces", "line"}
"""What HTTP itself changes, or has another answer to: no token at all."""


@pytest.fixture(scope="module")
def app() -> Flask:
    # The store is never asked: a token is looked at before anything else.
    verifier = Verifier(Keys(OURS.key_set), ISSUER, AUDIENCE, lambda: float(NOW))
    return create_app(service, settings_of("goals"), None, verifier)


def answer(app: Flask, token: str, method: str = "GET", path: str = "/v1/goals/g1") -> tuple[Any, ...]:
    found = app.test_client().open(path, method=method, headers={"Authorization": f"Bearer {token}"})
    document = found.get_json()
    document.pop("correlation_id")
    return found.status_code, document, found.headers["WWW-Authenticate"]


REFUSED = (
    401,
    {
        "type": "/problems/token-invalid",
        "title": "The access token is not valid.",
        "status": 401,
        "detail": "Get an access token from practices and send it as: Authorization: Bearer <token>.",
    },
    'Bearer realm="tandem", error="invalid_token"',
)


def test_there_are_many_and_no_two_are_alike() -> None:
    assert len(set(FORGED.values())) == len(FORGED) >= 60 + len(UNSENDABLE)


@pytest.mark.parametrize("token", [FORGED[name] for name in FORGED if name not in UNSENDABLE])
def test_each_is_refused_in_the_same_words(app: Flask, token: str) -> None:
    assert answer(app, token) == REFUSED
    assert answer(app, token, "POST", "/v1/clients/c1/goals") == REFUSED


def test_a_good_one_is_not_refused_and_reaches_no_other_practice(database: Any) -> None:
    prepare(database, service.collections)
    hearing.hear(service, database, hearing.client("ada", practice_id="elm"), hearing.client("bob", "oak"))
    app = create_app(service, settings_of("goals"), database, OURS.verifier())

    def status(token: str, client_id: str) -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().get(f"/v1/clients/{client_id}/goals", headers=headers).status_code

    assert status(OURS.token(), "ada") == 200
    assert status(OURS.token(), "bob") == 404
    assert status(OURS.token(practice="oak"), "ada") == 404
