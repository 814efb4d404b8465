"""Requests to practices, over HTTP."""

import pytest

from services.practices.domain.members import Role
from services.practices.store.people import Members
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


def test_a_client_and_an_app_read_who_they_are(world, http):
    maya, app = world.client(), world.app()

    assert http.get("/v1/me", headers=world.bearer(maya)).json["email"] == maya.email
    assert http.get("/v1/me", headers=world.bearer(app)).json == {
        "id": app.id,
        "kind": "app",
        "practice_id": "platform",
        "name": "Demo EHR",
    }


def test_everybody_reads_the_crisis_text_of_their_practice(world, http):
    answer = http.get("/v1/practice", headers=world.bearer(world.client()))

    assert answer.json["crisis_texts"] == {"en": "Call 112."}


def test_inviting_a_member_answers_with_them_and_tells_it(world, http):
    answer = http.post(
        "/v1/members", json=member_body(), headers={**world.bearer(world.member(Role.ADMIN)), **key()}
    )

    assert answer.status_code == 201
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == f"/v1/members/{answer.json['id']}"
    assert told(world, "members").count("member.joined") == 2


def test_a_repeated_invitation_invites_once(world, http):
    headers = {**world.bearer(world.member(Role.ADMIN)), **key()}

    answers = [http.post("/v1/members", json=member_body(), headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json == answers[1].json


def test_an_address_is_taken_once(world, http):
    by = world.bearer(world.member(Role.ADMIN))
    http.post("/v1/members", json=member_body(), headers={**by, **key()})

    answer = http.post("/v1/members", json=member_body(email="CLARA@example.org"), headers={**by, **key()})

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/address-taken")


def test_an_admin_invites_no_owner(world, http):
    headers = {**world.bearer(world.member(Role.ADMIN)), **key()}

    assert http.post("/v1/members", json=member_body(roles=["owner"]), headers=headers).status_code == 403


def test_colleagues_do_not_see_addresses_and_the_office_does(world, http):
    clara, owner = world.member(Role.CLINICIAN), world.member(Role.OWNER)

    def addresses(by):
        items = http.get("/v1/members", headers=world.bearer(by)).json["items"]
        return {item["id"]: item["email"] for item in items}

    assert addresses(clara) == {clara.id: clara.email, owner.id: ""}
    assert addresses(owner) == {clara.id: clara.email, owner.id: owner.email}
    one = http.get(f"/v1/members/{owner.id}", headers=world.bearer(clara))
    assert one.json["email"] == ""


def test_a_suspension_is_obeyed_with_the_next_request(world, http):
    ada, owner = world.member(Role.ADMIN), world.member(Role.OWNER)
    headers = {**world.bearer(owner), "If-Match": '"1"'}

    answer = http.post(f"/v1/members/{ada.id}/suspension", headers=headers)

    assert (answer.status_code, answer.json["status"]) == (200, "suspended")
    assert http.get("/v1/me", headers=world.bearer(ada)).status_code == 404
    assert "member.suspended" in told(world, "members")


def test_an_admin_does_not_suspend_an_owner(world, http):
    owner = world.member(Role.OWNER)
    headers = {**world.bearer(world.member(Role.ADMIN)), "If-Match": '"1"'}

    assert http.post(f"/v1/members/{owner.id}/suspension", headers=headers).status_code == 403
    assert Members(world.database).get(world.practice.id, owner.id).active


def test_a_clinician_enrols_a_client_and_starts_with_them(world, http):
    clara = world.member(Role.CLINICIAN)
    by = world.bearer(clara)

    client = http.post("/v1/clients", json=client_body(), headers={**by, **key()}).json
    path = f"/v1/clients/{client['id']}"
    episode = http.post(f"{path}/episodes", json={}, headers={**by, **key()})

    assert episode.status_code == 201
    assert episode.json["clinician_id"] == clara.id
    assert http.get(path, headers=by).json["email"] == "maya@example.org"
    assert http.get(f"{path}/episodes", headers=by).json["items"] == [episode.json]
    assert http.get(f"/v1/episodes/{episode.json['id']}", headers=by).json == episode.json
    assert [item["id"] for item in http.get("/v1/clients", headers=by).json["items"]] == [client["id"]]
    assert told(world, "episodes") == ["episode.started"]


@pytest.mark.parametrize("adult", [False, None, "true", 1])
def test_only_declared_adults_are_enrolled(world, http, adult):
    headers = {**world.bearer(world.member(Role.CLINICIAN)), **key()}

    assert http.post("/v1/clients", json=client_body(adult=adult), headers=headers).status_code == 422


def test_a_practice_without_crisis_text_enrols_nobody(world, http):
    world.database["practices"].update_one({"_id": world.practice.id}, {"$set": {"crisis_texts": {}}})
    headers = {**world.bearer(world.member(Role.CLINICIAN)), **key()}

    answer = http.post("/v1/clients", json=client_body(), headers=headers)

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/crisis-text-missing")


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


def test_an_admin_starts_an_episode_for_a_clinician_of_the_practice_only(world, http):
    maya, clara = world.client(), world.member(Role.CLINICIAN)
    stranger = world.another_practice().member(Role.CLINICIAN)
    by = world.bearer(world.member(Role.ADMIN))

    def start(clinician):
        return http.post(
            f"/v1/clients/{maya.id}/episodes", json={"clinician_id": clinician.id}, headers={**by, **key()}
        ).status_code

    assert [start(clara), start(stranger)] == [201, 404]


def test_a_client_consents_and_withdraws_seeing_what_they_change(world, http):
    maya, app = world.client(), world.app()
    path, by = f"/v1/clients/{maya.id}/consents/{app.id}", world.bearer(maya)

    unseen = http.put(path, headers=by)
    given = http.put(path, headers={**by, "If-Match": '"1"'})
    stale = http.delete(path, headers={**by, "If-Match": '"1"'})
    withdrawn = http.delete(path, headers={**by, "If-Match": given.headers["ETag"]})

    assert [answer.status_code for answer in (unseen, given, stale, withdrawn)] == [428, 200, 412, 200]
    assert [consent["app_id"] for consent in given.json["consents"]] == [app.id]
    assert given.json["consents"][0]["withdrawn_at"] is None
    assert withdrawn.json["consents"][0]["withdrawn_at"]
    assert told(world, "clients") == ["client.enrolled", "client.consented", "client.consent_withdrawn"]


def test_nobody_consents_for_a_client(world, http):
    maya, app, clara = world.client(), world.app(), world.member(Role.OWNER, Role.CLINICIAN)
    world.episode(maya, clara)

    for someone in (clara, world.client()):
        headers = {**world.bearer(someone), "If-Match": '"1"'}
        assert http.put(f"/v1/clients/{maya.id}/consents/{app.id}", headers=headers).status_code == 404


def test_a_consent_is_to_an_app_that_there_is(world, http):
    maya = world.client()
    headers = {**world.bearer(maya), "If-Match": '"1"'}

    assert http.put(f"/v1/clients/{maya.id}/consents/{new_id()}", headers=headers).status_code == 404


def test_apps_are_listed_by_id_and_name_only(world, http):
    app = world.app()

    answer = http.get("/v1/apps", headers=world.bearer(world.client()))

    assert answer.json["items"] == [{"id": app.id, "name": "Demo EHR"}]


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
