"""An application starts only if every route says who may call it; around each request is what is promised."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Response
from prometheus_client import REGISTRY

from shared.web.allows import RouteRefused, allows
from shared.web.application import create_app
from shared.web.blueprint import Blueprint
from shared.web.metrics import requests
from shared.web.schemas import PageQuery
from tests.figures import Figures
from tests.issuer import Issuer
from tests.shared.web.toy import SETTINGS, Toy


def start(method: str, *decorators: Any, path: str = "/x/<x_id>") -> None:
    def view(*args: Any, **path: Any) -> Response:
        return Response()

    blueprint = Blueprint("x", __name__, url_prefix="/v1")
    for decorator in decorators:
        view = decorator(view)
    getattr(blueprint, method)(path)(view)
    service = SimpleNamespace(name="x", title="X", apis=(blueprint,), standings=lambda *_: set())
    create_app(service, SETTINGS, SimpleNamespace(), Issuer().verifier())


def store() -> Any: ...


takes_query = Blueprint("y", __name__).arguments(PageQuery, location="query")


@pytest.mark.parametrize(
    ("method", "decorators", "words"),
    [
        ("get", [], "has no @allows"),
        ("get", [allows("goal.eat")], "goal.eat, which has no row"),
        ("get", [allows("goal.read", public=True)], "POLICY restricts goal.read"),
        ("get", [allows("goal.read"), takes_query], "has no @allows"),
        ("post", [allows("goal.agree")], "changes something"),
        ("delete", [allows("goal.agree")], "changes something"),
    ],
)
def test_route_that_does_not_say_who_may_call_it_stops_the_start(
    method: str, decorators: list[Any], words: str
) -> None:
    with pytest.raises(RouteRefused, match=f"/v1/x/<x_id> .*{words}"):
        start(method, *decorators)


def test_store_without_a_variable_stops_the_start() -> None:
    with pytest.raises(RouteRefused, match="no variable to load by"):
        start("get", allows("goal.read", store), path="/x")


@pytest.mark.parametrize(
    ("method", "guard"),
    [
        ("get", allows("goal.read")),
        ("post", allows("goal.agree", store)),
        ("post", allows("sign-in.ask", public=True)),
        ("post", allows("goal.agree", repeatable=True)),
    ],
)
def test_route_that_says_it_starts(method: str, guard: Any) -> None:
    start(method, guard)


def test_sane_correlation_id_is_taken_and_returned(toy: Toy) -> None:
    answer = toy.client().get(
        "/nowhere", headers={"X-Correlation-Id": "0A1b2c3d-1111-4222-8333-444455556666"}
    )

    assert (
        answer.headers["X-Correlation-Id"]
        == answer.json["correlation_id"]
        == "0A1b2c3d-1111-4222-8333-444455556666"
    )


@pytest.mark.parametrize(
    "given",
    ["", "short", "12345678", "maya-at-example.org", "a" * 65, "a b c d e f", "<script>alert(1)", "ääääääää"],
)
def test_other_correlation_ids_are_replaced(toy: Toy, given: str) -> None:
    answer = toy.client().get("/nowhere", headers={"X-Correlation-Id": given})

    assert len(answer.headers["X-Correlation-Id"]) == 36


@pytest.mark.parametrize("path", ["/v1/notes/n1", "/nowhere", "/v1/docs", "/v1/openapi.json"])
def test_every_answer_has_security_headers(toy: Toy, path: str) -> None:
    headers = toy.client().get(path).headers

    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert headers["Cache-Control"] == "no-store" or path == "/v1/docs/swagger-ui.css"


def test_one_line_a_request_with_ids_only(toy: Toy, caplog: pytest.LogCaptureFixture) -> None:
    toy.note()
    with caplog.at_level(logging.INFO):
        toy.client().get("/v1/clients/ada/notes?limit=9&cursor=secret")

    (line,) = [record for record in caplog.records if record.message == "Request answered"]
    told = vars(line)
    assert (told["method"], told["route"], told["status"]) == ("GET", "/v1/clients/<client_id>/notes", 422)
    assert (told["caller_id"], told["practice_id"]) == ("ada", "elm")
    assert told["ms"] >= 0
    assert "secret" not in str(told)


def test_requests_are_counted_by_route_and_unknown_ones_together(toy: Toy) -> None:
    def count(method: str, route: str, status: int) -> float:
        return requests(method, route, status)._value.get()

    before = count("GET", "none", 404), count("other", "none", 404), count("GET", "/v1/notes/<note_id>", 404)
    toy.client().get("/a")
    toy.client().get("/b")
    toy.client().open("/c", method="WORD")
    toy.client().get("/v1/notes/zzz")

    after = count("GET", "none", 404), count("other", "none", 404), count("GET", "/v1/notes/<note_id>", 404)
    assert [late - early for early, late in zip(before, after, strict=True)] == [2, 1, 1]


def test_failures_of_every_route_are_counted_from_the_start(toy: Toy) -> None:
    routes = [("POST", "/v1/notes/<note_id>/agreement"), ("PUT", "/v1/notes/<note_id>/stars")]

    figures = Figures.of(REGISTRY)

    for method, route in routes:
        for status in ("500", "503"):
            assert figures("tandem_http_requests_total", method=method, route=route, status=status) >= 0
