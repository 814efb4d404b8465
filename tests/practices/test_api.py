"""Requests to practices, over HTTP."""

import pytest

from services.practices.domain.members import Role
from shared.ids import new_id


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


def test_roles_are_told_in_their_order(world, http):
    ada = world.member(*Role)

    assert http.get("/v1/me", headers=world.bearer(ada)).json["roles"] == sorted(Role)


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
