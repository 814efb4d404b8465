"""Where one is signed in, over HTTP: listed, ended, and out at once."""

from datetime import timedelta

import pytest

from services.practices.domain.members import Role
from services.practices.domain.people import OUTLIVED
from services.practices.sign_in.ending import end
from services.practices.store.people import Clients
from shared.clock import now
from shared.ids import new_id
from tests.practices.conftest import killed
from tests.practices.signed_in import again, bearer, id_of, refreshes, told

OLD = "maya@example.org"


@pytest.fixture
def maya(world):
    return world.client(email=OLD)


@pytest.fixture
def ada(world):
    return world.with_factor(world.member(Role.CLINICIAN, email="ada@example.org"))


def test_sign_ins_are_listed_without_a_word_of_where(world, http, maya):
    before = now()
    here, there = world.signed_in(maya), world.signed_in(maya)
    refreshed = refreshes(world, there)
    world.signed_in(world.client())

    items = http.get("/v1/me/sign-ins", headers=bearer(refreshed)).json["items"]

    assert [(one["id"], one["current"]) for one in items] == [
        (id_of(world, there), True),
        (id_of(world, here), False),
    ]
    assert items[0].keys() == {"id", "began_at", "last_used_at", "expires_at", "current"}
    times = (items[0]["began_at"], items[0]["last_used_at"], items[0]["expires_at"])
    assert before.isoformat(timespec="milliseconds").replace("+00:00", "Z") <= times[0] <= times[1] < times[2]


def test_sign_ins_come_in_pages(world, http, maya):
    tokens = [world.signed_in(maya) for _ in range(3)]
    headers = bearer(tokens[0])

    first = http.get("/v1/me/sign-ins?limit=2", headers=headers).json
    second = http.get(f"/v1/me/sign-ins?limit=2&cursor={first['next']}", headers=headers).json

    listed = [one["id"] for one in first["items"] + second["items"]]
    assert listed == [id_of(world, one) for one in reversed(tokens)]
    assert second["next"] is None


def test_the_pages_go_on_where_the_last_one_seen_has_ended(world, http, maya):
    tokens = [world.signed_in(maya) for _ in range(3)]
    headers = bearer(tokens[0])
    first = http.get("/v1/me/sign-ins?limit=2", headers=headers).json

    http.delete(f"/v1/me/sign-ins/{first['items'][1]['id']}", headers=headers)

    second = http.get(f"/v1/me/sign-ins?limit=2&cursor={first['next']}", headers=headers).json
    assert [one["id"] for one in second["items"]] == [id_of(world, tokens[0])]


def test_one_that_is_ended_is_out_at_once_and_the_others_are_not(world, http, maya):
    here, there, third = (world.signed_in(maya) for _ in range(3))

    answers = [http.delete(f"/v1/me/sign-ins/{id_of(world, there)}", headers=bearer(here)) for _ in range(2)]

    assert [(answer.status_code, answer.data) for answer in answers] == [(204, b""), (204, b"")]
    refused = http.get("/v1/me", headers=bearer(there))
    assert (refused.status_code, refused.json["type"]) == (401, "/problems/token-invalid")
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]
    assert refreshes(world, there) is None
    for tokens in (here, third):
        assert http.get("/v1/me", headers=bearer(tokens)).status_code == 200
        assert refreshes(world, tokens)
    assert len(http.get("/v1/me/sign-ins", headers=bearer(here)).json["items"]) == 2
    assert told(world, "clients") == ["client.enrolled", "client.joined", "client.signed_out"]


def test_signing_out_is_ending_ones_own(world, http, maya):
    tokens = world.signed_in(maya)

    assert http.delete(f"/v1/me/sign-ins/{id_of(world, tokens)}", headers=bearer(tokens)).status_code == 204

    assert http.get("/v1/me", headers=bearer(tokens)).status_code == 401
    assert http.get("/v1/me", headers=bearer(world.signed_in(maya))).status_code == 200


def test_all_others_are_ended_at_once(world, http, ada):
    here, there, third = (world.signed_in(ada) for _ in range(3))

    assert http.delete("/v1/me/sign-ins", headers=bearer(here)).status_code == 204

    for tokens in (there, third):
        assert http.get("/v1/me", headers=bearer(tokens)).status_code == 401
        assert refreshes(world, tokens) is None
    assert http.get("/v1/me", headers=bearer(here)).status_code == 200
    assert refreshes(world, here)
    assert told(world, "members") == ["member.joined", "member.signed_out"]


def test_a_refresh_in_the_very_second_of_an_end_goes_on(world, http, maya):
    """Tokens count seconds; an end names sign-ins, and needs no clock."""
    here, there = world.signed_in(maya), world.signed_in(maya)
    http.delete("/v1/me/sign-ins", headers=bearer(here))

    refreshed, anew = refreshes(world, here), world.signed_in(maya)

    assert [http.get("/v1/me", headers=bearer(one)).status_code for one in (refreshed, anew, there)] == [
        200,
        200,
        401,
    ]


def test_anothers_sign_in_looks_like_an_absent_one(world, http, maya, ada):
    colleague = world.signed_in(world.client())
    stranger = world.signed_in(world.another_practice().client())
    mine = bearer(world.signed_in(maya))

    def answer(id):
        answer = http.delete(f"/v1/me/sign-ins/{id}", headers=mine)
        return answer.status_code, {**answer.json, "correlation_id": ""}

    absent = answer(new_id())
    for tokens in (colleague, stranger):
        assert answer(id_of(world, tokens)) == absent
        assert refreshes(world, tokens)
    assert absent[0] == 404


def test_one_person_in_two_standings_sees_and_ends_those_of_each_by_itself(world, http):
    member = world.with_factor(world.member(Role.ADMIN, email=OLD))
    client = world.client(email=OLD)
    as_member, as_client = world.signed_in(member), world.signed_in(client)

    listed = http.get("/v1/me/sign-ins", headers=bearer(as_client)).json["items"]
    answer = http.delete(f"/v1/me/sign-ins/{id_of(world, as_member)}", headers=bearer(as_client))
    http.delete("/v1/me/sign-ins", headers=bearer(as_client))

    assert [one["id"] for one in listed] == [id_of(world, as_client)]
    assert answer.status_code == 404
    assert http.get("/v1/members", headers=bearer(as_client)).status_code == 404
    assert http.get("/v1/members", headers=bearer(as_member)).status_code == 200


def test_an_end_that_was_killed_halfway_is_whole(world, http, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)

    with killed(Clients, "save", after=True):
        end(world.database, "client", maya.practice_id, maya.id, [id_of(world, there)], now())

    listed = http.get("/v1/me/sign-ins", headers=bearer(here)).json["items"]
    assert [one["id"] for one in listed] == [id_of(world, here)]
    assert http.get("/v1/me", headers=bearer(there)).status_code == 401
    assert refreshes(world, there) is None


def test_it_is_marked_before_the_person_forgets_it(world, maya):
    here, there = world.signed_in(maya), world.signed_in(maya)
    with killed(Clients, "save", after=True):
        end(world.database, "client", maya.practice_id, maya.id, [id_of(world, there)], now())

    later = now() + OUTLIVED
    end(world.database, "client", maya.practice_id, maya.id, [id_of(world, here)], later)

    assert list(again(world, maya).ended) == [id_of(world, here)]
    assert refreshes(world, there) is None


def test_a_kill_before_the_end_ends_nothing(world, http, maya):
    there = world.signed_in(maya)

    with killed(Clients, "save"):
        end(world.database, "client", maya.practice_id, maya.id, [id_of(world, there)], now())

    assert http.get("/v1/me", headers=bearer(there)).status_code == 200
    assert refreshes(world, there)


def test_what_is_remembered_of_ends_is_bounded(world, maya):
    at = now() - timedelta(days=1)
    for minute in range(0, 100, 5):
        ended = at + timedelta(minutes=minute)
        end(world.database, "client", maya.practice_id, maya.id, [new_id()], ended)

    assert len(again(world, maya).ended) == 4


def test_the_oldest_of_too_many_sign_ins_makes_room(world, maya, monkeypatch):
    monkeypatch.setattr("services.practices.sign_in.tokens.SIGN_INS", 2)
    tokens = [world.signed_in(maya) for _ in range(3)]

    assert [bool(refreshes(world, one)) for one in tokens] == [False, True, True]
