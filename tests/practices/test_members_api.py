"""Members over HTTP, and what is decided about them at once."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.practices.domain.members import MemberStatus, Role
from services.practices.store.people import Members
from shared.clock import now
from shared.ids import new_id
from shared.store.aggregates import StaleVersion


def key():
    return {"Idempotency-Key": new_id()}


def body(**about):
    return {
        "display_name": "Clara Costa",
        "email": "clara@example.org",
        "roles": ["clinician"],
        "language": "en",
        "timezone": "Europe/Lisbon",
    } | about


def told(world, member_id):
    found = world.database["members"].find_one({"_id": member_id})
    return [event["type"] for event in found.get("outbox", [])]


@pytest.fixture
def decide(world, http):
    """Ask for something about a member, as somebody, having seen its present version."""

    def decide(by, method, member, what="", **about):
        version = Members(world.database).get(world.practice.id, member.id).version
        headers = {**world.bearer(by), "If-Match": f'"{version}"'}
        return http.open(f"/v1/members/{member.id}{what}", method=method, headers=headers, **about)

    return decide


def test_inviting_a_member_answers_with_them_and_tells_it(world, http):
    answer = http.post(
        "/v1/members", json=body(), headers={**world.bearer(world.member(Role.ADMIN)), **key()}
    )

    assert answer.status_code == 201
    assert (answer.json["status"], answer.json["supervises"]) == ("invited", [])
    assert answer.json["invited_until"] > now().isoformat()
    assert answer.headers["ETag"] == '"1"'
    assert answer.headers["Location"] == f"/v1/members/{answer.json['id']}"
    assert told(world, answer.json["id"]) == ["member.invited", "person.contact_set"]


def test_a_repeated_invitation_invites_once(world, http):
    headers = {**world.bearer(world.member(Role.ADMIN)), **key()}

    answers = [http.post("/v1/members", json=body(), headers=headers) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 200]
    assert answers[0].json == answers[1].json


def test_an_address_is_taken_once(world, http):
    by = world.bearer(world.member(Role.ADMIN))
    http.post("/v1/members", json=body(), headers={**by, **key()})

    answer = http.post("/v1/members", json=body(email="CLARA@example.org"), headers={**by, **key()})

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/address-taken")


def test_an_admin_invites_no_owner(world, http):
    headers = {**world.bearer(world.member(Role.ADMIN)), **key()}

    assert http.post("/v1/members", json=body(roles=["owner"]), headers=headers).status_code == 403


def test_somebody_invited_is_not_let_in_before_they_accept(world, http):
    clara = world.invited(Role.ADMIN)

    assert http.get("/v1/me", headers=world.bearer(clara)).status_code == 404


def test_colleagues_do_not_see_addresses_and_the_office_does(world, http):
    clara, owner = world.member(Role.CLINICIAN), world.member(Role.OWNER)

    def addresses(by):
        items = http.get("/v1/members", headers=world.bearer(by)).json["items"]
        return {item["id"]: item["email"] for item in items}

    assert addresses(clara) == {clara.id: clara.email, owner.id: ""}
    assert addresses(owner) == {clara.id: clara.email, owner.id: owner.email}
    one = http.get(f"/v1/members/{owner.id}", headers=world.bearer(clara))
    assert one.json["email"] == ""


def test_members_are_listed_by_status_and_role(world, http, decide):
    ada, clara = world.member(Role.ADMIN), world.member(Role.CLINICIAN, Role.SUPERVISOR)
    noa, gone = world.invited(Role.CLINICIAN), world.member(Role.CLINICIAN)
    world.another_practice().member(Role.CLINICIAN)
    assert decide(ada, "POST", gone, "/removal", json={}).status_code == 200

    def listed(query):
        answer = http.get(f"/v1/members{query}", headers=world.bearer(ada))
        return {item["id"] for item in answer.json["items"]}

    assert listed("") == {ada.id, clara.id, noa.id}
    assert listed("?status=invited") == {noa.id}
    assert listed("?status=removed") == {gone.id}
    assert listed("?role=clinician") == {clara.id, noa.id}
    assert listed("?role=supervisor&status=active") == {clara.id}
    assert http.get("/v1/members?status=asleep", headers=world.bearer(ada)).status_code == 422


def test_roles_and_who_is_supervised_are_changed(world, decide):
    ada, clara, daniel = world.member(Role.ADMIN), world.member(Role.CLINICIAN), world.member(Role.CLINICIAN)

    roles = decide(ada, "PATCH", clara, json={"roles": ["clinician", "supervisor"]})
    supervises = decide(ada, "PATCH", clara, json={"supervises": [daniel.id, daniel.id]})

    assert (roles.status_code, roles.json["roles"]) == (200, ["clinician", "supervisor"])
    assert supervises.json["roles"] == ["clinician", "supervisor"]
    assert supervises.json["supervises"] == [daniel.id]
    assert told(world, clara.id) == ["member.joined", "member.changed", "member.changed"]


def test_who_is_supervised_is_a_clinician_of_this_practice(world, decide):
    ada, susan = world.member(Role.ADMIN), world.member(Role.SUPERVISOR)
    stranger = world.another_practice().member(Role.CLINICIAN)

    answers = [
        decide(ada, "PATCH", susan, json={"supervises": [id]}) for id in (stranger.id, new_id(), ada.id)
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 409]


@pytest.mark.parametrize(
    "wrong",
    [
        {"roles": []},
        {"roles": ["chief"]},
        {"roles": "owner"},
        {"supervises": ["a b"]},
        {"supervises": [{"$ne": 1}]},
        {"status": "active"},
        {"email": "x@example.org"},
        {"practice_id": "x"},
    ],
)
def test_what_is_no_change_is_refused_by_field(world, decide, wrong):
    clara = world.member(Role.CLINICIAN)

    answer = decide(world.member(Role.ADMIN), "PATCH", clara, json=wrong)

    assert (answer.status_code, answer.json["errors"]["body"].keys()) == (422, wrong.keys())


def test_a_clinician_with_open_episodes_stays_a_clinician(world, decide):
    clara = world.member(Role.CLINICIAN)
    world.episode(world.client(), clara)

    answer = decide(world.member(Role.ADMIN), "PATCH", clara, json={"roles": ["admin"]})

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/caseload-left")


def test_a_suspension_is_obeyed_with_the_next_request_and_so_is_its_end(world, http, decide):
    ada, owner = world.member(Role.ADMIN), world.member(Role.OWNER)

    suspended = decide(owner, "POST", ada, "/suspension")
    out = http.get("/v1/me", headers=world.bearer(ada))
    reinstated = decide(owner, "DELETE", ada, "/suspension")

    assert (suspended.status_code, suspended.json["status"], out.status_code) == (200, "suspended", 404)
    assert (reinstated.status_code, reinstated.json["status"]) == (200, "active")
    assert http.get("/v1/me", headers=world.bearer(ada)).status_code == 200
    assert told(world, ada.id) == ["member.joined", "member.suspended", "member.reinstated"]


def test_an_admin_does_not_decide_about_an_owner(world, decide):
    owner, ada = world.member(Role.OWNER), world.member(Role.ADMIN)

    answers = [
        decide(ada, "POST", owner, "/suspension"),
        decide(ada, "POST", owner, "/removal", json={}),
        decide(ada, "PATCH", owner, json={"roles": ["admin"]}),
        decide(ada, "PATCH", owner, json={"supervises": [world.member(Role.CLINICIAN).id]}),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert Members(world.database).get(world.practice.id, owner.id).active


def test_an_admin_makes_themselves_no_supervisor_and_an_owner_does(world, decide):
    ada, olivia, clara = (world.member(role) for role in (Role.ADMIN, Role.OWNER, Role.CLINICIAN))
    more = {"roles": ["admin", "supervisor"], "supervises": [clara.id]}

    refused = decide(ada, "PATCH", ada, json=more)
    given = decide(olivia, "PATCH", ada, json=more)

    assert (refused.status_code, refused.json["type"]) == (409, "/problems/not-yourself")
    assert (given.status_code, given.json["supervises"]) == (200, [clara.id])


def test_another_letter_is_asked_for_and_not_too_often(world, decide):
    ada, noa = world.member(Role.ADMIN), world.invited(Role.CLINICIAN)

    answers = [decide(ada, "POST", noa, "/invitation") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 200, 409]
    assert answers[-1].json["type"] == "/problems/invited-too-often"
    assert Members(world.database).get(world.practice.id, noa.id).invitation.number == 5


def test_only_somebody_invited_gets_another_letter(world, decide):
    answer = decide(world.member(Role.ADMIN), "POST", world.member(Role.CLINICIAN), "/invitation")

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/status-forbids")


DECISIONS = [
    ("PATCH", "", {"roles": ["admin"]}),
    ("POST", "/invitation", None),
    ("POST", "/suspension", None),
    ("DELETE", "/suspension", None),
    ("POST", "/removal", {}),
]


@pytest.mark.parametrize(("method", "what", "sent"), DECISIONS)
def test_a_decision_names_the_version_seen(world, http, method, what, sent):
    path = f"/v1/members/{world.member(Role.CLINICIAN).id}{what}"
    by = world.bearer(world.member(Role.ADMIN))

    unseen = http.open(path, method=method, json=sent, headers=by)
    stale = http.open(path, method=method, json=sent, headers={**by, "If-Match": '"7"'})

    assert (unseen.status_code, stale.status_code) == (428, 412)


@pytest.mark.parametrize(("method", "what", "sent"), DECISIONS)
def test_to_who_may_not_decide_and_in_another_practice_a_member_is_absent(world, http, method, what, sent):
    clara, stranger = world.member(Role.CLINICIAN), world.another_practice().member(Role.OWNER)

    for by, of in ((world.member(Role.CLINICIAN), clara), (world.client(), clara), (stranger, clara)):
        answer = http.open(
            f"/v1/members/{of.id}{what}", method=method, json={"x": 1}, headers=world.bearer(by)
        )
        assert answer.status_code == 404


def test_somebody_removed_is_invited_again_at_the_same_address(world, http, decide):
    ada, clara = world.member(Role.ADMIN), world.member(Role.CLINICIAN, email="clara@example.org")

    removed = decide(ada, "POST", clara, "/removal", json={})
    again = http.post("/v1/members", json=body(), headers={**world.bearer(ada), **key()})
    removed_again = decide(ada, "POST", clara, "/removal", json={})

    assert (removed.status_code, removed.json["status"], removed.json["email"]) == (200, "removed", "")
    assert again.status_code == 201
    assert again.json["id"] != clara.id
    assert removed_again.status_code == 409
    (found,) = Members(world.database).with_address(clara.address)
    assert found.id == again.json["id"]


OWNERS_LEAVE = [
    ("POST", "/suspension", None),
    ("POST", "/removal", {}),
    ("PATCH", "", {"roles": ["admin"]}),
]


@pytest.mark.parametrize(("method", "what", "sent"), OWNERS_LEAVE)
def test_owners_who_take_each_others_place_away_at_once_leave_one(world, http, method, what, sent):
    owners = [world.member(Role.OWNER) for _ in range(3)]
    ring = list(zip(owners, owners[1:] + owners[:1], strict=True))
    app = http.application
    together = threading.Barrier(len(ring))

    def act(pair):
        by, of = pair
        headers = {**world.bearer(by), "If-Match": '"1"'}
        together.wait()
        return app.test_client().open(f"/v1/members/{of.id}{what}", method=method, json=sent, headers=headers)

    with ThreadPoolExecutor(len(ring)) as pool:
        answers = list(pool.map(act, ring))

    assert {answer.status_code for answer in answers} <= {200, 403, 404, 412}
    members = Members(world.database).list(world.practice.id, {"roles": "owner"}, 10)
    assert any(member.active for member in members)


@pytest.mark.parametrize(("method", "what", "sent"), OWNERS_LEAVE)
def test_who_decides_about_another_owner_has_a_new_version_themselves(world, decide, method, what, sent):
    olivia, oscar, clara = world.member(Role.OWNER), world.member(Role.OWNER), world.member(Role.CLINICIAN)

    def version():
        return Members(world.database).get(world.practice.id, olivia.id).version

    decide(olivia, method, clara, what, json=sent)
    before = version()
    answer = decide(olivia, method, oscar, what, json=sent)

    assert answer.status_code == 200
    assert (before, version()) == (1, 2)


def test_an_owner_changes_their_own_roles_short_of_being_one(world, decide):
    olivia = world.member(Role.OWNER)

    more = decide(olivia, "PATCH", olivia, json={"roles": ["owner", "clinician"]})
    less = decide(olivia, "PATCH", olivia, json={"roles": ["clinician"]})

    assert (more.status_code, more.json["roles"]) == (200, ["clinician", "owner"])
    assert (less.status_code, less.json["type"]) == (409, "/problems/not-yourself")


def test_of_two_owners_who_saw_each_other_one_finds_themselves_changed(world):
    """The race, step by step: each has loaded both before the other does anything."""
    members = Members(world.database)
    olivia, oscar = world.member(Role.OWNER), world.member(Role.OWNER)
    me, them = (members.get(world.practice.id, one.id) for one in (oscar, olivia))

    oscar.suspend(by=olivia)
    members.hold(olivia)
    members.save(oscar)
    them.suspend(by=me)

    with pytest.raises(StaleVersion):
        members.hold(me)
    assert members.get(world.practice.id, olivia.id).active
    assert members.get(world.practice.id, oscar.id).status is MemberStatus.SUSPENDED
