"""A wish for another clinician goes past the clinician, whatever else they are."""

import pytest

from services.practices.domain.members import Role
from shared.ids import new_id
from tests.practices.asking import problem


@pytest.fixture
def path(world, maya, clara):
    return f"/episodes/{world.episode(maya, clara).id}"


def wishes(as_, who, query=""):
    return as_(who).get(f"/wishes{query}").json["items"]


def test_a_wish_goes_to_the_office_and_is_settled_there(world, as_, maya, clara, olivia, path):
    said = as_(maya).post(f"{path}/wish", {"text": "I would rather talk to a woman"})
    (listed,) = wishes(as_, olivia, "?status=open")
    settled = as_(olivia).post(f"/wishes/{listed['id']}/settlement", {"outcome": "talked"}, match=1)

    assert said.status_code == 201
    assert said.json["notice"]["crisis_text"] == "Call 112."
    assert listed == said.json | {"notice": None}
    assert (settled.json["status"], settled.json["outcome"]) == ("settled", "talked")
    assert settled.json["settled_by"] == olivia.id
    assert as_(maya).get(f"{path}/wish").json == settled.json
    assert wishes(as_, olivia, "?status=open") == []
    assert world.told("wishes") == [
        "episode.another_clinician_wished",
        "episode.another_clinician_wish_settled",
    ]


def test_a_clinician_can_tell_by_nothing_that_there_is_a_wish(world, as_, maya, clara, path):
    def seen():
        answers = [
            as_(clara).get(one) for one in (path, f"/clients/{maya.id}/episodes", f"/clients/{maya.id}")
        ]
        return [(answer.status_code, answer.data, answer.headers.get("ETag")) for answer in answers]

    before = seen()
    wish = as_(maya).post(f"{path}/wish").json

    assert seen() == before
    assert as_(clara).get("/wishes").status_code == 404
    assert as_(clara).get(f"{path}/wish").status_code == 404
    assert as_(clara).post(f"/wishes/{wish['id']}/settlement", {"outcome": "talked"}).status_code == 404
    assert "episode.another_clinician_wished" not in world.told("episodes")


def test_a_clinician_who_is_the_owner_too_sees_no_wish_about_themselves(world, as_, maya, olivia):
    both = world.member(Role.OWNER, Role.CLINICIAN)
    episode = world.episode(maya, both)

    wish = as_(maya).post(f"/episodes/{episode.id}/wish").json
    settle = f"/wishes/{wish['id']}/settlement"

    assert wishes(as_, both) == []
    assert [one["id"] for one in wishes(as_, olivia)] == [wish["id"]]
    own, absent = (
        as_(both).post(one, {"outcome": "other"}) for one in (settle, f"/wishes/{new_id()}/settlement")
    )
    assert own.status_code == absent.status_code == 404
    assert own.json["detail"] == absent.json["detail"]
    assert as_(olivia).post(settle, {"outcome": "other"}, match=1).status_code == 200


def test_a_supervisor_settles_the_wish_that_went_to_them_by_a_transfer(world, as_, maya, clara, daniel, path):
    supervisor, others = world.supervisor(clara), world.supervisor(daniel)
    wish = as_(maya).post(f"{path}/wish").json
    settle = f"/wishes/{wish['id']}/settlement"

    moved = as_(supervisor).post(f"{path}/transfer", {"clinician_id": daniel.id}, match=1)
    not_told = as_(others).post(settle, {"outcome": "transferred"}, match=1)
    settled = as_(supervisor).post(settle, {"outcome": "transferred"}, match=1)

    assert moved.status_code == 200
    assert not_told.status_code == 404
    assert (settled.status_code, settled.json["status"]) == (200, "settled")


def test_those_whom_it_goes_to_are_told_and_never_the_clinician(world, as_, maya, olivia):
    clara = world.member(Role.CLINICIAN, Role.ADMIN)
    world.suspend(gone := world.member(Role.ADMIN))
    supervisor = world.supervisor(clara)
    world.another_practice().member(Role.OWNER)
    path = f"/episodes/{world.episode(maya, clara).id}/wish"

    as_(maya).post(path)
    as_(maya).delete(path)

    for event in world.database["wishes"].find_one()["outbox"]:
        told = set(event["data"]["told"])
        assert {olivia.id, supervisor.id} <= told
        assert told.isdisjoint({clara.id, gone.id})


def test_no_word_of_it_is_in_an_event(world, as_, maya, path):
    as_(maya).post(f"{path}/wish", {"text": "I would rather talk to a woman"})

    assert "woman" not in repr(world.database["wishes"].find_one()["outbox"])


def test_a_wish_stands_once_and_can_be_taken_back_and_said_again(world, as_, maya, path):
    wish, by = f"{path}/wish", as_(maya)

    answers = [
        by.get(wish),
        by.delete(wish),
        by.post(wish, key="one"),
        by.post(wish, key="one"),
        by.post(wish),
        by.delete(wish),
        by.delete(wish),
        by.post(wish),
    ]

    assert [answer.status_code for answer in answers] == [404, 404, 201, 200, 409, 200, 409, 201]
    assert problem(answers[4]) == (409, "wish-stands")
    assert problem(answers[6]) == (409, "wish-over")
    assert by.get(wish).json["id"] == answers[7].json["id"]


def test_what_was_taken_back_is_not_settled(as_, maya, olivia, path):
    wish = as_(maya).post(f"{path}/wish").json
    as_(maya).delete(f"{path}/wish")

    answer = as_(olivia).post(f"/wishes/{wish['id']}/settlement", {"outcome": "talked"}, match=2)

    assert problem(answer) == (409, "wish-over")


def test_a_wish_can_be_said_in_every_open_state_and_after_that_not(as_, maya, clara, path):
    statuses = []
    for match, step in enumerate(("pause", "end", "closure"), start=1):
        as_(clara).post(f"{path}/{step}", match=match)
        statuses.append(as_(maya).post(f"{path}/wish").status_code)
        as_(maya).delete(f"{path}/wish")

    assert statuses == [201, 201, 409]


@pytest.mark.parametrize("wrong", [{"text": 1}, {"text": ""}, {"text": "x" * 2001}, {"clinician_id": "x"}])
def test_what_is_no_wish_is_refused(as_, maya, path, wrong):
    assert problem(as_(maya).post(f"{path}/wish", wrong)) == (422, "invalid")


@pytest.mark.parametrize("wrong", [{}, {"outcome": "done"}, {"outcome": "talked", "by": "x"}])
def test_a_settlement_says_what_became_of_it(as_, maya, olivia, path, wrong):
    wish = as_(maya).post(f"{path}/wish").json

    assert as_(olivia).post(f"/wishes/{wish['id']}/settlement", wrong, match=1).status_code == 422


def test_one_practices_wishes_are_nobody_elses(world, as_, maya, path):
    there = as_(world.another_practice().member(Role.OWNER))
    wish = as_(maya).post(f"{path}/wish").json

    assert there.get("/wishes").json["items"] == []
    answer = there.post(f"/wishes/{wish['id']}/settlement", {"outcome": "talked"}, match=1)
    assert answer.status_code == 404


def test_nobody_wishes_for_a_client(world, as_, clara, olivia, path):
    for who in (clara, olivia, world.client()):
        assert as_(who).post(f"{path}/wish").status_code == 404
        assert as_(who).delete(f"{path}/wish").status_code == 404
