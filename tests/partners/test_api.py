"""An app's own endpoints over HTTP."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from services.partners import signing
from services.partners.api import api, standings
from shared.ids import PLATFORM
from shared.security.caller import Caller
from shared.security.policy import PUBLIC_EVENTS
from shared.security.tokens import TokenRefused
from shared.web.application import create_app
from tests.partners.conftest import Partners

CALLERS = {
    "app-1": Caller("app-1", "app", PLATFORM, "t1"),
    "app-2": Caller("app-2", "app", PLATFORM, "t2"),
    "member": Caller("member-1", "member", "practice-1", "t3"),
    "client": Caller("client-1", "client", "practice-1", "t4"),
    "member-of-none": Caller("app-1", "member", PLATFORM, "t6"),
    "unknown-app": Caller("app-3", "app", PLATFORM, "t7"),
    "app-in-practice": Caller("app-1", "app", "practice-1", "t5"),
}
HOOK = {"url": "https://app.example/hook", "event_types": ["goal.agreed"]}


class Known:
    """Accepts the tokens above."""

    def verify(self, token: str) -> Caller:
        if token not in CALLERS:
            raise TokenRefused
        return CALLERS[token]


class Described:
    """As much of the service as the web application asks for."""

    name, title, apis = "partners", "Partners", (api,)
    standings = staticmethod(standings)


@pytest.fixture
def http(partners: Partners) -> FlaskClient:
    partners.hear(partners.registered("app-1"), partners.registered("app-2"))
    app = create_app(Described(), partners.settings, partners.database, Known())  # type: ignore[arg-type]
    return app.test_client()


def by(caller: str = "app-1", **more: str) -> dict[str, Any]:
    named = {name.replace("_", "-"): value for name, value in more.items()}
    return {"headers": {"Authorization": f"Bearer {caller}", **named}}


def register(http: FlaskClient, caller: str = "app-1", key: str = "key-1", **other: Any) -> Any:
    return http.post("/v1/endpoints", json=HOOK | other, **by(caller, Idempotency_Key=key))


def test_an_endpoint_is_registered_with_a_secret(http: FlaskClient, partners: Partners) -> None:
    answer = register(http)

    assert answer.status_code == 201
    assert answer.json["secret"].startswith("whsec_")
    assert answer.headers["Location"].endswith(f"/v1/endpoints/{answer.json['id']}")
    assert {name: answer.json[name] for name in ("url", "event_types", "state")} == {
        **HOOK,
        "state": "active",
    }
    (stored,) = partners.database["endpoints"].find()
    assert answer.json["secret"] not in repr(stored)
    assert signing.unseal(stored["sealed_secret"], partners.settings.key("webhooks")) == answer.json["secret"]


def test_whoever_lost_the_answer_gets_the_same_secret_by_the_same_key(http: FlaskClient) -> None:
    first = register(http)

    again, by_another, another_body = (
        register(http),
        register(http, "app-2"),
        register(http, event_types=None),
    )

    assert (again.status_code, again.json) == (200, first.json)
    assert by_another.status_code == 201
    assert by_another.json["secret"] != first.json["secret"]
    assert another_body.status_code == 422


def test_no_other_answer_shows_the_secret(http: FlaskClient) -> None:
    made = register(http).json

    read = http.get(f"/v1/endpoints/{made['id']}", **by())
    listed = http.get("/v1/endpoints", **by())
    removed = http.delete(f"/v1/endpoints/{made['id']}", **by(If_Match=read.headers["ETag"]))

    without = {name: value for name, value in made.items() if name != "secret"}
    assert (read.json, listed.json) == (without, {"items": [without], "next": None})
    assert (removed.status_code, removed.json.keys()) == (200, without.keys())


@pytest.mark.parametrize("event_types", [None, list(PUBLIC_EVENTS)])
def test_event_types_may_be_all_or_named(http: FlaskClient, event_types: list[str] | None) -> None:
    assert register(http, event_types=event_types).json["event_types"] == event_types


BAD = [
    {"url": "https://user@app.example/"},
    {"url": "https://10.0.0.1/"},
    {"url": "https://[::ffff:7f00:1]/"},
    {"url": "https://app.example/#x"},
    {"url": "https://app.example/\n"},
    {"url": "https://app.example/" + "x" * 2048},
    {"url": {"$ne": 1}},
    {"url": None},
    {"event_types": []},
    {"event_types": ["feedback.given"]},
    {"event_types": ["goal.*"]},
    {"event_types": "goal.agreed"},
    {"event_types": [{"$ne": 1}]},
    {"event_types": [1]},
    {"secret": "whsec_mine"},
    {"app_id": "app-2"},
]


def test_a_bad_body_is_refused(http: FlaskClient, partners: Partners) -> None:
    for other in BAD:
        answer = register(http, **other)

        assert (answer.status_code, answer.content_type) == (422, "application/problem+json"), other
    assert partners.database["endpoints"].count_documents({}) == 0


def test_a_removed_endpoint_stays_readable_and_cannot_be_removed_again(http: FlaskClient) -> None:
    made = register(http)
    path = f"/v1/endpoints/{made.json['id']}"

    removed = http.delete(path, **by(If_Match=made.headers["ETag"]))
    again = http.delete(path, **by(If_Match=removed.headers["ETag"]))

    assert http.get(path, **by()).json == removed.json
    assert removed.json["state"] == "removed"
    assert again.status_code == 409


def test_removing_names_the_version_seen(http: FlaskClient) -> None:
    path = f"/v1/endpoints/{register(http).json['id']}"

    assert http.delete(path, **by()).status_code == 428
    assert http.delete(path, **by(If_Match='"7"')).status_code == 412


@pytest.mark.parametrize(
    "caller", ["app-2", "unknown-app", "member", "client", "app-in-practice", "member-of-none"]
)
def test_a_foreign_endpoint_looks_absent(http: FlaskClient, caller: str) -> None:
    made = register(http).json["id"]

    for method, rest in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries")):
        foreign, absent = (
            http.open(f"/v1/endpoints/{id}{rest}", method=method, **by(caller, If_Match='"1"'))
            for id in (made, "0")
        )
        assert foreign.status_code == absent.status_code == 404
        assert {**foreign.json, "correlation_id": ""} == {**absent.json, "correlation_id": ""}


@pytest.mark.parametrize("caller", ["unknown-app", "member", "client", "app-in-practice", "member-of-none"])
def test_only_apps_register_and_list(http: FlaskClient, caller: str) -> None:
    assert register(http, caller).status_code == 404
    assert http.get("/v1/endpoints", **by(caller)).status_code == 404


def test_no_token_no_answer(http: FlaskClient) -> None:
    assert http.get("/v1/endpoints").status_code == 401
    assert http.get("/v1/endpoints", **by("forged")).status_code == 401


def test_an_app_pages_through_its_own_endpoints(http: FlaskClient) -> None:
    made = [register(http, key=f"key-{number}").json["id"] for number in range(3)]
    register(http, "app-2")

    first = http.get("/v1/endpoints?limit=2", **by()).json
    rest = http.get(f"/v1/endpoints?limit=2&cursor={first['next']}", **by()).json

    assert sorted(one["id"] for one in first["items"] + rest["items"]) == sorted(made)
    assert (len(first["items"]), rest["next"]) == (2, None)


def test_an_app_sees_its_deliveries_and_attempts(http: FlaskClient, partners: Partners) -> None:
    endpoint_id = partners.permit()
    event = partners.agreed()
    partners.hear(event)
    with partners.sending():
        partners.wait_for_attempt(endpoint_id)

    answer = http.get(f"/v1/endpoints/{endpoint_id}/deliveries", **by())

    (delivery,) = answer.json["items"]
    (attempt,) = delivery["attempts"]
    assert (delivery["event_id"], delivery["event_type"]) == (event.id, "goal.agreed")
    assert (delivery["state"], delivery["practice_id"]) == ("pending", "practice-1")
    assert delivery["next_at"] > attempt["at"]
    assert (attempt["status"], attempt["error"]) == (None, "connection")
