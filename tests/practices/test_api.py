"""Requests to practices, over HTTP."""

import base64

import pytest

from services.practices.domain.members import Role
from shared.ids import new_id
from tests.practices.conftest import SECRET


def key():
    return {"Idempotency-Key": new_id()}


def member_body(**about):
    return {
        "display_name": "Clara Costa",
        "email": "clara@example.org",
        "roles": ["clinician"],
        "language": "en",
        "timezone": "Europe/Lisbon",
    } | about


def client_body(**about):
    body = member_body(display_name="Maya", email="maya@example.org", adult=True) | about
    del body["roles"]
    return body


def told(world, collection):
    return [event["type"] for found in world.database[collection].find() for event in found.get("outbox", [])]


@pytest.mark.parametrize("role", [Role.OWNER, Role.CLINICIAN])
def test_a_member_reads_who_they_are(world, http, role):
    ada = world.member(role)

    answer = http.get("/v1/me", headers=world.bearer(ada))

    assert answer.status_code == 200
    assert answer.json["id"] == ada.id
    assert answer.json["roles"] == [role]


def test_a_client_and_an_app_read_who_they_are(world, http):
    maya, app = world.client(), world.app()

    assert http.get("/v1/me", headers=world.bearer(maya)).json["email"] == maya.email
    assert http.get("/v1/me", headers=world.bearer(app)).json == {
        "id": app.id,
        "kind": "app",
        "practice_id": "platform",
        "name": "Demo EHR",
    }


def test_a_colleagues_client_looks_like_an_absent_one(world, http):
    clara, daniel, maya = world.member(Role.CLINICIAN), world.member(Role.CLINICIAN), world.client()
    episode = world.episode(maya, clara)
    by = world.bearer(daniel)

    def answer(method, path):
        answer = http.open(path, method=method, headers=by, json={"x": 1} if method == "POST" else None)
        document = answer.json
        document.pop("correlation_id")
        return answer.status_code, document

    for method, path in (
        ("GET", "/v1/clients/{}"),
        ("GET", "/v1/clients/{}/episodes"),
        ("POST", "/v1/clients/{}/episodes"),
        ("PUT", "/v1/clients/{}/consents/a"),
        ("DELETE", "/v1/clients/{}/consents/a"),
    ):
        assert answer(method, path.format(maya.id)) == answer(method, path.format(new_id()))
    assert answer("GET", f"/v1/episodes/{episode.id}")[0] == 404
    assert http.get("/v1/clients", headers=by).json["items"] == []


def test_a_grant_is_given_revoked_and_given_again(world, http):
    app, by = world.app(), world.bearer(world.member(Role.ADMIN))
    body = {"app_id": app.id, "event_types": ["goal.agreed"], "scopes": ["goal.read"]}
    first_key = key()

    given = http.post("/v1/grants", json=body, headers={**by, **first_key})
    path = f"/v1/grants/{given.json['id']}"
    beside = http.post("/v1/grants", json=body, headers={**by, **key()})
    revoked = http.delete(path, headers={**by, "If-Match": given.headers["ETag"]})
    repeated = http.post("/v1/grants", json=body, headers={**by, **first_key})
    again = http.post("/v1/grants", json={**body, "scopes": []}, headers={**by, **key()})

    answers = (given, beside, revoked, repeated, again)
    assert [answer.status_code for answer in answers] == [201, 409, 200, 200, 201]
    assert revoked.json["revoked_at"]
    assert repeated.json == revoked.json
    assert (again.json["id"], again.json["revoked_at"], again.headers["ETag"]) == (
        given.json["id"],
        None,
        '"3"',
    )
    assert http.get(path, headers=by).json == again.json
    assert http.get("/v1/grants", headers=by).json["items"] == [again.json]
    assert told(world, "grants") == ["grant.given", "grant.revoked", "grant.given"]


def test_one_practices_grants_are_nobody_elses(world, http):
    app, there = world.app(), world.another_practice()
    body = {"app_id": app.id, "event_types": [], "scopes": []}
    by = {**world.bearer(world.member(Role.ADMIN)), **key()}
    given = http.post("/v1/grants", json=body, headers=by).json

    stranger = there.bearer(there.member(Role.OWNER))

    assert http.get(f"/v1/grants/{given['id']}", headers=stranger).status_code == 404
    assert http.get("/v1/grants", headers=stranger).json["items"] == []


def basic(app, secret=SECRET):
    return {"Authorization": "Basic " + base64.b64encode(f"{app.id}:{secret}".encode()).decode()}


def test_asking_to_sign_in_says_the_same_to_everybody(world, http):
    world.client(email="maya@example.org")

    answers = [
        http.post("/v1/sign-in", json={"email": email})
        for email in ["maya@example.org"] * 7 + ["nobody@example.org"] * 7
    ]

    assert {(answer.status_code, answer.data) for answer in answers} == {(202, answers[0].data)}


def test_a_person_signs_in_stays_in_and_calls(world, http):
    maya = world.client(email="maya@example.org")
    http.post("/v1/sign-in", json={"email": "maya@example.org"})
    form = {
        "grant_type": "urn:tandem:one-time-code",
        "email": "maya@example.org",
        "code": world.code_for("maya@example.org"),
    }

    tokens = http.post("/v1/token", data=form)
    refreshed = http.post(
        "/v1/token", data={"grant_type": "refresh_token", "refresh_token": tokens.json["refresh_token"]}
    )
    me = http.get("/v1/me", headers={"Authorization": f"Bearer {refreshed.json['access_token']}"})

    assert (tokens.json["token_type"], tokens.json["expires_in"]) == ("Bearer", 600)
    assert tokens.headers["Cache-Control"] == "no-store"
    assert me.json["id"] == maya.id


def test_several_standings_are_listed_to_choose_from(world, http):
    member = world.member(Role.ADMIN, email="ada@example.org")
    client = world.client(email="ada@example.org")
    http.post("/v1/sign-in", json={"email": "ada@example.org"})
    form = {
        "grant_type": "urn:tandem:one-time-code",
        "email": "ada@example.org",
        "code": world.code_for("ada@example.org"),
    }

    refused = http.post("/v1/token", data=form)
    chosen = http.post("/v1/token", data={**form, "kind": "client"})

    assert (refused.status_code, refused.json["error"]) == (400, "standing_required")
    assert {standing["id"] for standing in refused.json["standings"]} == {member.id, client.id}
    assert chosen.status_code == 200


def test_an_app_signs_in_with_its_secret(world, http):
    answer = http.post("/v1/token", data={"grant_type": "client_credentials"}, headers=basic(world.app()))

    assert answer.status_code == 200
    assert "refresh_token" not in answer.json


@pytest.mark.parametrize("secret", ["wrong", "", "ü"])
def test_a_wrong_secret_is_an_invalid_client(world, http, secret):
    answer = http.post(
        "/v1/token", data={"grant_type": "client_credentials"}, headers=basic(world.app(), secret)
    )

    assert (answer.status_code, answer.json["error"]) == (401, "invalid_client")
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "invalid_request"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": "urn:tandem:one-time-code"}, "invalid_request"),
        ({"grant_type": "urn:tandem:one-time-code", "email": "a@b.org", "code": ""}, "invalid_request"),
        ({"grant_type": "urn:tandem:one-time-code", "email": "a@b.org", "code": "1"}, "invalid_grant"),
        ({"grant_type": ["refresh_token", "refresh_token"], "refresh_token": "x"}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "x"}, "invalid_grant"),
        ({"grant_type": "refresh_token", "refresh_token": "x" * 5000}, "invalid_request"),
        ({"grant_type": "refresh_token", "refresh_token": "\0"}, "invalid_grant"),
    ],
)
def test_a_token_request_is_refused_as_rfc_6749_wants_it(http, form, error):
    answer = http.post("/v1/token", data=form)

    assert (answer.status_code, answer.json["error"]) == (400, error)


def test_json_is_no_token_request(http):
    answer = http.post("/v1/token", json={"grant_type": "refresh_token"})

    assert (answer.status_code, answer.json["error"]) == (400, "invalid_request")


def test_the_keys_are_public(http):
    answer = http.get("/.well-known/jwks.json")

    assert answer.status_code == 200
    assert [key["alg"] for key in answer.json["keys"]] == ["ES256"]


@pytest.mark.parametrize(
    "email",
    [{"$ne": 1}, ["a@b.org"], 1, None, "", "a", "a@b", "a b@c.org", "a@b.org\n", "a@b.org\r\nBcc: c@d.org"],
)
def test_what_is_no_address_is_refused(http, email):
    assert http.post("/v1/sign-in", json={"email": email}).status_code == 422
