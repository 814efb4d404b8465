"""Breaking the glass: who may look, for how long, and who hears of it."""

from datetime import timedelta

import pytest

from services.practices.domain.looks import LASTS, TRIES, TRIES_WITHIN
from services.practices.domain.members import Role
from services.practices.store.looks import Looks, Tries
from services.practices.store.people import Clients
from shared.clock import now
from shared.ids import new_id
from tests.practices.conftest import every

REASON = "Her sister called: she is in danger."


@pytest.fixture
def glass(world, http):
    world.database["practices"].update_many({}, {"$set": {"policy.break_glass": True}})
    return Glass(world, http)


class Glass:
    """Daniel, who does not work with Maya."""

    def __init__(self, world, http):
        self.world, self.http = world, http
        self.daniel, self.maya = world.member(Role.CLINICIAN), world.client(email="maya@example.org")

    def post(self, by=None, key=None, **body):
        headers = {**self.world.bearer(by or self.daniel), "Idempotency-Key": key or new_id()}
        return self.http.post("/v1/looks", json={"reason": REASON, **body}, headers=headers)

    def end(self, look_id, by=None, match='"1"'):
        headers = {**self.world.bearer(by or self.daniel), "If-Match": match}
        return self.http.post(f"/v1/looks/{look_id}/end", headers=headers)

    def who_looked(self, by):
        return self.http.get(f"/v1/clients/{self.maya.id}/looks", headers=self.world.bearer(by))

    def is_open(self, at=None, by=None):
        member = (by or self.daniel).id
        return Looks(self.world.database).stands(self.world.practice.id, member, self.maya.id, at or now())

    def outbox(self):
        return [event for one in self.world.database["looks"].find() for event in one["outbox"]]


@pytest.mark.parametrize("role", [Role.CLINICIAN, Role.SUPERVISOR])
def test_an_exact_address_opens_for_an_hour_and_every_owner_is_to_hear(glass, role):
    owners = {glass.world.member(Role.OWNER).id, glass.world.member(Role.OWNER, Role.CLINICIAN).id}
    glass.world.suspend(glass.world.member(Role.OWNER))  # by one more owner
    by = glass.world.member(role)

    answer = glass.post(by, email="MAYA@example.org ".strip())

    assert answer.status_code == 201
    assert (answer.json["client_id"], answer.json["member_id"]) == (glass.maya.id, by.id)
    assert glass.is_open(by=by)
    assert not glass.is_open(now() + LASTS, by=by)
    assert not glass.is_open()
    [event] = glass.outbox()
    assert event["type"] == "client.glass_broken"
    assert event["data"]["ends_at"] - event["data"]["began_at"] == LASTS
    assert owners < set(event["data"]["owner_ids"])
    assert len(event["data"]["owner_ids"]) == 3
    assert REASON not in str(event)
    assert "maya" not in str(event)


def test_an_apps_id_for_the_client_opens_too(glass):
    app = glass.world.app()
    glass.maya.link(app, "MRN-7", glass.world.settings.key("external_id"))
    Clients(glass.world.database).save(glass.maya)

    right = glass.post(app_id=app.id, external_id="MRN-7")
    wrong = [
        glass.post(app_id=app.id, external_id="MRN-"),
        glass.post(app_id=new_id(), external_id="MRN-7"),
    ]

    assert (right.status_code, right.json["client_id"]) == (201, glass.maya.id)
    assert [one.status_code for one in wrong] == [404, 404]


def without_id(answer):
    return answer.status_code, {**answer.json, "correlation_id": ""}, answer.headers.get("Retry-After")


def test_where_it_is_not_switched_on_a_client_is_as_absent_as_nobody(glass):
    nobody = glass.post(email="nobody@example.org")
    glass.world.database["practices"].update_many({}, {"$set": {"policy.break_glass": False}})

    answers = [glass.post(email=email) for email in ["maya@example.org", "nobody@example.org"] * TRIES]

    assert {str(without_id(answer)) for answer in (nobody, *answers)} == {str(without_id(nobody))}
    assert nobody.status_code == 404
    assert glass.outbox() == []


def test_another_practices_client_is_nobody(glass):
    there = glass.world.another_practice()
    there.client(email="noah@example.org")

    assert glass.post(email="noah@example.org").status_code == 404


@pytest.mark.parametrize("by", ["office", "client", "app", "suspended"])
def test_who_does_not_care_for_clients_breaks_nothing(glass, by):
    someone = {
        "office": lambda: glass.world.member(Role.OWNER, Role.ADMIN),
        "client": lambda: glass.maya,
        "app": glass.world.app,
        "suspended": lambda: glass.daniel,
    }[by]()
    if by == "suspended":
        glass.world.suspend(glass.daniel)

    assert glass.post(someone, email="maya@example.org").status_code == 404


def test_five_tries_an_hour_whatever_they_find_and_each_member_has_their_own(glass):
    tries = [glass.post(email=f"{number}@example.org").status_code for number in range(TRIES)]
    found, nobody = glass.post(email="maya@example.org"), glass.post(email="nobody@example.org")
    other = glass.post(glass.world.member(Role.CLINICIAN), email="maya@example.org")

    assert tries == [404] * TRIES
    assert without_id(found) == without_id(nobody)
    assert (found.status_code, found.headers["Retry-After"]) == (429, "3600")
    assert other.status_code == 201


def test_a_key_that_is_used_again_with_other_addresses_is_no_way_to_try_more(glass):
    key = new_id()

    answers = [glass.post(key=key, email=f"{number}@example.org") for number in range(TRIES + 1)]

    assert answers[-1].status_code == 429


def test_tries_are_counted_within_the_last_hour(glass):
    tries, at = Tries(glass.world.database, "glass", "p", "m"), now()

    counted = [tries.count(at + timedelta(minutes=minute)) for minute in (0, 10, 20, 30, 40, 50)]

    assert counted == [True] * TRIES + [False]
    assert not tries.room(at + timedelta(minutes=59))
    assert tries.room(at + TRIES_WITHIN)
    assert tries.count(at + TRIES_WITHIN)
    assert not tries.count(at + TRIES_WITHIN)


def test_a_repeated_request_is_one_look(glass):
    key = new_id()

    answers = [glass.post(key=key, email="maya@example.org") for _ in range(2)]
    differs = glass.post(key=key, email="maya@example.org", reason="Something else altogether")

    assert [one.status_code for one in (*answers, differs)] == [201, 200, 422]
    assert answers[0].json == answers[1].json
    assert len(glass.outbox()) == 1


def test_a_repeat_finds_its_look_even_when_there_were_too_many(glass):
    key = new_id()
    first = glass.post(key=key, email="maya@example.org")
    for _ in range(TRIES):
        glass.post(email="nobody@example.org")

    assert glass.post(key=key, email="maya@example.org").json == first.json


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": "maya"},
        {"email": ["maya@example.org"]},
        {"email": {"$ne": ""}},
        {"email": "maya@example.org", "app_id": "a", "external_id": "x"},
        {"app_id": "a"},
        {"external_id": "x"},
        {"app_id": "a.b", "external_id": "x"},
        {"app_id": "$where", "external_id": "x"},
        {"app_id": "a", "external_id": {"$ne": 1}},
        {"email": "maya@example.org", "reason": "short"},
        {"email": "maya@example.org", "reason": "         x"},
        {"email": "maya@example.org", "reason": "x" * 2_001},
        {"email": "maya@example.org", "reason": None},
        {"email": "maya@example.org", "client_id": "x"},
    ],
)
def test_a_wrong_body_is_refused_and_is_no_try(glass, body):
    assert glass.post(**body).status_code == 422
    assert glass.world.database["look_tries"].count_documents({}) == 0


def test_it_ends_early_by_who_began_it_and_nobody_else(glass):
    look = glass.post(email="maya@example.org").json
    other = glass.world.member(Role.CLINICIAN)

    foreign, absent = glass.end(look["id"], other), glass.end(new_id(), other)
    unseen = glass.http.post(f"/v1/looks/{look['id']}/end", headers=glass.world.bearer(other))
    stale = glass.end(look["id"], match='"7"')
    ended = glass.end(look["id"])
    again = glass.end(look["id"], match='"2"')

    assert without_id(foreign) == without_id(absent) == without_id(unseen)
    assert [one.status_code for one in (foreign, stale, ended, again)] == [404, 412, 200, 200]
    assert ended.json["ends_at"] < look["ends_at"]
    assert again.json == ended.json
    assert not glass.is_open()
    assert [event["type"] for event in glass.outbox()] == ["client.glass_broken", "look.ended"]


def test_the_client_sees_who_looked_and_when_and_the_office_why(glass):
    glass.post(email="maya@example.org")
    second = glass.post(glass.world.member(Role.SUPERVISOR), email="maya@example.org").json

    to_maya = glass.who_looked(glass.maya).json["items"]
    to_office = glass.who_looked(glass.world.member(Role.ADMIN)).json["items"]

    assert to_maya[0]["id"] == second["id"]
    assert {one["member_name"] for one in to_maya} == {"Somebody"}
    assert [one["reason"] for one in to_maya] == [None, None]
    assert [one["reason"] for one in to_office] == [REASON, REASON]


def test_who_looked_is_nobody_elses_business(glass):
    glass.post(email="maya@example.org")
    there = glass.world.another_practice()

    for by in (glass.daniel, glass.world.client(), there.member(Role.OWNER), glass.world.app()):
        assert glass.who_looked(by).status_code == 404


def test_a_snapshot_tells_what_was_told(glass):
    glass.post(email="maya@example.org")
    [look] = every(Looks(glass.world.database))

    told, [event] = vars(look.snapshot()), glass.outbox()

    assert told == {name: value for name, value in event["data"].items() if name != "owner_ids"}
