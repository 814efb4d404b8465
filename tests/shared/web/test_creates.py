"""Creating: once, however often it is asked for."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.shared.web.toy import Toy


def write(toy: Toy, key: str | None, text: str = "walk", client: str = "ada", **who: Any) -> TestResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return toy.client(**who).post(f"/v1/clients/{client}/notes", json={"text": text}, headers=headers)


def test_first_request_makes_it(toy: Toy) -> None:
    answer = write(toy, "k")

    assert (answer.status_code, answer.headers["ETag"]) == (201, '"1"')
    assert answer.headers["Location"] == f"/v1/notes/{answer.json['id']}"
    assert toy.client().get(answer.headers["Location"]).json == answer.json


def test_repeat_finds_its_present_state(toy: Toy) -> None:
    first = write(toy, "k")
    toy.client().post(f"{first.headers['Location']}/agreement", headers={"If-Match": '"1"'})

    again = write(toy, " k ")

    assert (again.status_code, again.json["id"], again.headers["ETag"]) == (200, first.json["id"], '"2"')
    assert again.headers["Location"] == first.headers["Location"]
    assert again.json["status"] == "agreed"
    assert len(toy.notes.documents) == 1


def test_same_key_with_another_body_is_422(toy: Toy) -> None:
    write(toy, "k")

    answer = write(toy, "k", "run")

    assert (answer.status_code, answer.json["type"]) == (422, "/problems/key-reused")
    assert len(toy.notes.documents) == 1


def test_spacing_and_order_of_the_body_do_not_matter(toy: Toy) -> None:
    bodies = [b'{"text": "a", "stars": 1}', b'{"stars":1,   "text":"\\u0061"}']
    sent = {"content_type": "application/json", "headers": {"Idempotency-Key": "k"}}

    answers = [toy.client().post("/v1/clients/ada/notes", data=body, **sent) for body in bodies]

    assert [answer.status_code for answer in answers] == [201, 200]


def test_repeat_is_answered_even_where_the_rules_have_moved_on(toy: Toy) -> None:
    first = write(toy, "k")
    toy.database.closed = True

    assert (write(toy, "k").status_code, write(toy, "k").json) == (200, first.json)
    assert write(toy, "k", "run").status_code == 422
    assert write(toy, "new").status_code == 409


@pytest.mark.parametrize("key", [None, "", "   ", "é", "a\tb", "a" * 256, "a\x7f"])
def test_missing_or_twisted_key_is_400(toy: Toy, key: str | None) -> None:
    answer = write(toy, key)

    assert (answer.status_code, answer.json["type"]) == (400, "/problems/key-needed")
    assert not toy.notes.documents


@pytest.mark.parametrize("key", ["a" * 255, "!", "~", "a b", '"quoted"'])
def test_any_printable_key_is_taken(toy: Toy, key: str) -> None:
    assert write(toy, key).status_code == 201


def test_one_key_of_two_callers_or_routes_makes_two(toy: Toy) -> None:
    answers = [
        write(toy, "k"),
        write(toy, "k", sub="carl", kind="member"),
        write(toy, "k", practice="oak"),
        write(toy, "k", client="ben", sub="ben"),
        write(toy, "k", client="ben", sub="carl", kind="member"),
    ]

    assert [answer.status_code for answer in answers] == [201] * 5
    assert len({answer.json["id"] for answer in answers}) == 5


def test_replay_by_who_is_not_entitled_tells_nothing(toy: Toy) -> None:
    write(toy, "k")

    assert write(toy, "k", sub="eve").status_code == 404
