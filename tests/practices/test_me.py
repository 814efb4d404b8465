"""What one says of oneself, over HTTP."""

import pytest

from services.practices.domain.members import Role
from tests.practices.signed_in import told

OLD = "maya@example.org"


@pytest.fixture
def maya(world):
    return world.client(email=OLD)


@pytest.fixture
def ada(world):
    return world.with_factor(world.member(Role.CLINICIAN, email="ada@example.org"))


def test_people_change_how_they_are_spoken_to_and_all_hear_of_it(world, http, maya, ada):
    for person, event in ((maya, "client.changed"), (ada, "member.changed")):
        answer = http.patch("/v1/me", json={"timezone": "Europe/Paris"}, headers=world.bearer(person))

        assert (answer.status_code, answer.json["timezone"], answer.json["language"]) == (
            200,
            "Europe/Paris",
            "en",
        )
        found = world.database[event.partition(".")[0] + "s"].find_one({"_id": person.id})
        said = found["outbox"][-1]
        assert said["type"] == event
        about = {"display_name": "Somebody", "language": "en", "timezone": "Europe/Paris"}
        assert said["data"].items() >= {f"{event.partition('.')[0]}_id": person.id, **about}.items()


def test_staff_change_their_name_and_a_client_asks_the_practice(world, http, maya, ada):
    answers = [
        http.patch("/v1/me", json={"display_name": "May"}, headers=world.bearer(person))
        for person in (maya, ada)
    ]

    assert [answer.status_code for answer in answers] == [403, 200]
    assert answers[1].json["name"] == "May"


def test_what_changes_nothing_tells_nothing(world, http, maya):
    for body in ({}, {"language": "en"}):
        assert http.patch("/v1/me", json=body, headers=world.bearer(maya)).status_code == 200

    assert told(world, "clients") == ["client.enrolled", "client.joined"]


@pytest.mark.parametrize(
    "body",
    [
        {"display_name": ""},
        {"display_name": None},
        {"display_name": "x" * 201},
        {"language": "english"},
        {"timezone": "Mars/Base"},
        {"email": "x@example.org"},
        {"roles": ["owner"]},
        {"practice_id": "p"},
        {"id": "x"},
        {"ended": {}},
        {"status": "active"},
    ],
)
def test_nothing_else_of_oneself_is_changed_like_that(world, http, maya, body):
    assert http.patch("/v1/me", json=body, headers=world.bearer(maya)).status_code == 422


def test_a_client_speaks_a_language_in_which_the_practice_could_tell_where_help_is(world, http, maya, ada):
    answer = http.patch("/v1/me", json={"language": "pt"}, headers=world.bearer(maya))

    assert (answer.status_code, answer.json["type"]) == (409, "/problems/language-not-offered")
    assert http.patch("/v1/me", json={"language": "pt"}, headers=world.bearer(ada)).status_code == 200


def test_apps_are_nobody(world, http):
    headers = world.bearer(world.app())

    for method, path in (
        ("PATCH", "/v1/me"),
        ("GET", "/v1/me/sign-ins"),
        ("DELETE", "/v1/me/sign-ins"),
        ("DELETE", "/v1/me/sign-ins/x"),
        ("POST", "/v1/me/address"),
        ("PUT", "/v1/me/address"),
    ):
        assert http.open(path, method=method, headers=headers, json={}).status_code == 404
