"""Bodies and queries: each bound, and nothing that was sent comes back."""

import json
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shared.web import bounds
from shared.web.refusals import BodyMalformed
from tests.shared.web.toy import Toy

WRITE = "/v1/clients/ada/notes"


def send(toy: Toy, raw: bytes, content_type: str = "application/json", **headers: str) -> TestResponse:
    given = {"Idempotency-Key": "k", **headers}
    return toy.client().post(WRITE, data=raw, content_type=content_type, headers=given)


MALFORMED = {
    "empty": b"",
    "not JSON": b"{text: 1}",
    "cut": b'{"text": "a"',
    "more behind": b'{"text": "a"} {}',
    "list": b"[]",
    "text": b'"a"',
    "null": b"null",
    "name twice": b'{"text": "a", "text": "b"}',
    "name twice within": b'{"text": "a", "about": [{"a": 1, "a": 2}]}',
    "NaN": b'{"text": "a", "stars": NaN}',
    "Infinity": b'{"text": "a", "stars": -Infinity}',
    "too large a fraction": b'{"text": "a", "stars": 1e999}',
    "too large a number": b'{"text": "a", "stars": 9007199254740993}',
    "far too large a number": b'{"text": "a", "stars": ' + b"9" * 6000 + b"}",
    "21 levels": b'{"text": ' + b"[" * 20 + b"]" * 20 + b"}",
    "thousands of levels": b'{"text": ' + b"[" * 30000 + b"]" * 30000 + b"}",
    "lone surrogate": b'{"text": "\\ud800"}',
    "lone surrogate in a name": b'{"\\udfff": "a"}',
    "NUL": b'{"text": "a\\u0000"}',
    "NUL in a name": b'{"te\\u0000xt": "a"}',
    "latin-1": '{"text": "é"}'.encode("latin-1"),
    "UTF-16": '{"text": "a"}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"text": "a"}',
    "raw control character": b'{"text": "a\x01"}',
}


@pytest.mark.parametrize("raw", MALFORMED.values(), ids=MALFORMED.keys())
def test_malformed_body_is_400(toy: Toy, raw: bytes) -> None:
    answer = send(toy, raw)

    assert answer.status_code == 400
    assert answer.json["type"] == "/problems/body-malformed"
    assert not toy.notes.documents


def test_bounds_are_where_they_are_said_to_be() -> None:
    nineteen: Any = []
    for _ in range(18):
        nineteen = [nineteen]

    assert bounds.parse(json.dumps({"a": nineteen}).encode()) == {"a": nineteen}
    with pytest.raises(BodyMalformed):
        bounds.parse(json.dumps({"a": [[nineteen]]}).encode())
    assert bounds.parse(b'{"a": -9007199254740992, "b": 1.5e300}') == {"a": -(2**53), "b": 1.5e300}


@pytest.mark.parametrize(
    "content_type",
    [
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/json; charset=latin-1",
        "application/xml",
    ],
)
def test_other_content_types_are_415(toy: Toy, content_type: str) -> None:
    assert send(toy, b'{"text": "a"}', content_type).status_code == 415


def test_json_with_its_charset_is_taken(toy: Toy) -> None:
    assert send(toy, b'{"text": "a"}', "application/json; charset=UTF-8").status_code == 201


def test_body_over_64_kib_is_413(toy: Toy) -> None:
    answer = send(toy, json.dumps({"text": "a" * bounds.MOST_BYTES}).encode())

    assert answer.status_code == 413
    assert answer.content_type == "application/problem+json"


INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "missing": ({}, "text"),
    "unknown": ({"text": "a", "practice_id": "oak"}, "practice_id"),
    "operator for a text": ({"text": {"$ne": 1}}, "text"),
    "operator for an id": ({"text": "a", "about": [{"$gt": ""}]}, "about"),
    "number for a text": ({"text": 1}, "text"),
    "list for a text": ({"text": ["a"]}, "text"),
    "null": ({"text": None}, "text"),
    "only spaces": ({"text": " \u2003 "}, "text"),
    "too long": ({"text": "a" * 201}, "text"),
    "control character": ({"text": "a\u001bb"}, "text"),
    "line in a one-line text": ({"text": "a\nb"}, "text"),
    "text for a number": ({"text": "a", "stars": "5"}, "stars"),
    "true for a number": ({"text": "a", "stars": True}, "stars"),
    "fraction for a number": ({"text": "a", "stars": 1.5}, "stars"),
    "too large": ({"text": "a", "stars": 6}, "stars"),
    "1 for true": ({"text": "a", "urgent": 1}, "urgent"),
    "text for true": ({"text": "a", "urgent": "true"}, "urgent"),
    "impossible day": ({"text": "a", "due": "2026-02-30"}, "due"),
    "day with a time": ({"text": "a", "due": "2026-02-03T00:00:00Z"}, "due"),
    "time without offset": ({"text": "a", "at": "2026-02-03T00:00:00"}, "at"),
    "impossible time": ({"text": "a", "at": "2026-02-03T24:00:00Z"}, "at"),
    "number for a time": ({"text": "a", "at": 0}, "at"),
    "text for a list": ({"text": "a", "about": "x"}, "about"),
    "no id": ({"text": "a", "about": ["a b"]}, "about"),
}


@pytest.mark.parametrize(("body", "field"), INVALID.values(), ids=INVALID.keys())
def test_invalid_body_is_422_and_names_the_field(toy: Toy, body: dict[str, Any], field: str) -> None:
    answer = send(toy, json.dumps(body).encode())

    assert answer.status_code == 422
    assert list(answer.json["errors"]["body"]) == [field]
    assert not toy.notes.documents


def test_what_was_sent_never_comes_back(toy: Toy) -> None:
    told = "my secret 4711"

    answer = send(toy, json.dumps({"text": {told: told}, told: told, "due": told, "stars": told}).encode())

    assert answer.status_code == 422
    assert b"4711" not in answer.data


def test_thousands_of_unknown_fields_give_a_short_answer(toy: Toy) -> None:
    answer = send(toy, json.dumps({f"f{n}": 1 for n in range(5000)}).encode())

    assert answer.status_code == 422
    assert len(answer.data) < 4096


BAD_QUERIES = ["x=1", "limit=0", "limit=101", "limit=1.0", "limit=ten", "limit=", "limit=1&limit=2"]
BAD_QUERIES += [
    "limit[$gt]=1",
    "limit=" + "9" * 5000,
    "open=1",
    "cursor=x",
    "cursor=%00",
    "cursor=" + "a" * 2000,
]


@pytest.mark.parametrize("query", BAD_QUERIES)
def test_bad_query_is_422(toy: Toy, query: str) -> None:
    assert toy.client().get(f"{WRITE}?{query}").status_code == 422


def test_query_and_body_where_none_are_taken_are_422(toy: Toy) -> None:
    toy.note()
    agree = "/v1/notes/n1/agreement"
    seen = {"If-Match": '"1"'}

    assert toy.client().get("/v1/notes/n1?x=1").status_code == 422
    assert toy.client().post(f"{agree}?x=1", headers=seen).status_code == 422
    assert toy.client().post(agree, json={"by": "eve"}, headers=seen).status_code == 422
    assert toy.client().post(agree, json={}, headers=seen).status_code == 200


def test_text_is_stripped_and_kept(toy: Toy) -> None:
    answer = send(toy, json.dumps({"text": "  gehe täglich 🚶  "}).encode())

    assert answer.json["text"] == "gehe täglich 🚶"
