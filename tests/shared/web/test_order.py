"""What is asked first: token, entitlement, version, body; and what each refusal looks like."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.shared.web.toy import Note, Toy

RATE = "/v1/notes/n1/stars"
BAD_BODY: dict[str, Any] = {"data": "{", "content_type": "application/json"}


def test_no_token_is_401_before_anything_else(toy: Toy) -> None:
    toy.note()

    answer = toy.app.test_client().put(RATE, **BAD_BODY)

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert toy.notes.asked == []


@pytest.mark.parametrize("value", ["", "Basic YTpi", "Bearer", "Bearer  ", "Bearer x.y.z", "bearer é"])
def test_twisted_authorization_is_401(toy: Toy, value: str) -> None:
    answer = toy.app.test_client().get("/v1/notes/n1", headers={"Authorization": value})

    assert answer.status_code == 401


def test_token_of_another_issuer_is_401_and_says_so(toy: Toy) -> None:
    token = toy.issuer.token(iss="https://evil.test")

    answer = toy.app.test_client().get("/v1/notes/n1", headers={"Authorization": f"Bearer {token}"})

    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert answer.json["type"] == "/problems/token-invalid"


def test_who_is_not_entitled_gets_404_before_version_and_body(toy: Toy) -> None:
    toy.note()

    answer = toy.client("dora", "member").put(f"{RATE}?x=1", **BAD_BODY)

    assert answer.status_code == 404


@pytest.mark.parametrize(
    "who",
    [("eve", "client", "elm"), ("dora", "member", "elm"), ("ada", "client", "oak"), ("ada", "client", "elm")],
)
def test_denied_and_absent_look_and_cost_the_same(toy: Toy, who: tuple[str, str, str]) -> None:
    same = {"X-Correlation-Id": "0a1b2c3d-0000-4000-8000-000000000000"}
    toy.note(client_id="ben")
    denied = toy.client(*who).get("/v1/notes/n1", headers=same)
    asked, toy.notes.asked = len(toy.notes.asked), []
    absent = toy.client(*who).get("/v1/notes/n2", headers=same)

    assert denied.status_code == absent.status_code == 404
    assert (denied.data, dict(denied.headers)) == (absent.data, dict(absent.headers))
    assert asked == len(toy.notes.asked) == 2


def test_domain_s_own_404_is_the_same_document(toy: Toy) -> None:
    from tests.shared.web.toy import ClientUnknown

    same = {"X-Correlation-Id": "0a1b2c3d-0000-4000-8000-000000000000"}
    toy.note()
    toy.database.broken = ClientUnknown("Client ada is not here.")

    raised = toy.client().get("/v1/notes/n1", headers=same)
    absent = toy.client().get("/v1/notes/n2", headers=same)

    assert raised.data == absent.data


def test_missing_if_match_is_428_before_query_and_body(toy: Toy) -> None:
    toy.note()

    answer = toy.client("carl", "member").put(f"{RATE}?x=1", **BAD_BODY)

    assert answer.status_code == 428


@pytest.mark.parametrize("tag", ['"2"', "1", 'W/"1"', "*", '"1", "2"', '"01"', '"1', "", "'1'", '"1"x'])
def test_any_if_match_but_the_one_strong_version_is_412(toy: Toy, tag: str) -> None:
    toy.note()

    answer = toy.client().post("/v1/notes/n1/agreement", headers={"If-Match": tag})

    assert answer.status_code == 412
    assert toy.notes.look("elm", "n1").version == 1


def test_version_saved_meanwhile_is_412(toy: Toy, monkeypatch: pytest.MonkeyPatch) -> None:
    toy.note()
    look = toy.notes.look

    def look_then_another_saves(practice_id: str, id: str) -> Any:
        found = look(practice_id, id)
        toy.notes.save(look(practice_id, id))
        return found

    monkeypatch.setattr(toy.notes, "look", look_then_another_saves)
    answer = toy.client().post("/v1/notes/n1/agreement", headers={"If-Match": '"1"'})

    assert answer.status_code == 412
    assert answer.json["type"] == "/problems/stale-version"


def test_right_version_is_changed_and_has_the_next_etag(toy: Toy) -> None:
    toy.note()
    etag = toy.client().get("/v1/notes/n1").headers["ETag"]

    answer = toy.client().post("/v1/notes/n1/agreement", headers={"If-Match": etag})

    assert (answer.status_code, answer.json["status"], answer.headers["ETag"]) == (200, "agreed", '"2"')


def test_domain_error_is_its_problem(toy: Toy) -> None:
    toy.note()
    toy.client().post("/v1/notes/n1/agreement", headers={"If-Match": '"1"'})

    answer = toy.client().post("/v1/notes/n1/agreement", headers={"If-Match": '"2"'})

    assert answer.status_code == 409
    assert answer.content_type == "application/problem+json"
    assert answer.json == {
        "type": "/problems/note-not-open",
        "title": "Only an open note can be agreed.",
        "status": 409,
        "detail": "Note n1 is agreed; only an open note can be agreed.",
        "correlation_id": answer.headers["X-Correlation-Id"],
    }


def test_another_path_variable_must_agree_with_what_was_loaded(toy: Toy) -> None:
    from shared.web.allows import allows

    def read(note: Note, client_id: str) -> Any:
        return {"id": note.id}

    rule = "/v1/clients/<client_id>/notes/<note_id>"
    toy.app.add_url_rule(rule, "nested", allows("goal.read", lambda: toy.notes)(read))
    toy.note()

    assert toy.client().get("/v1/clients/ada/notes/n1").status_code == 200
    assert toy.client().get("/v1/clients/ben/notes/n1").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/nowhere",
        "/v1/notes/",
        "/v1//notes/n1",
        "/v1/notes/n1%00",
        "/v1/notes/$ne",
        "/v1/notes/n 1",
        f"/v1/notes/{'a' * 65}",
    ],
)
def test_unknown_address_is_the_same_404(toy: Toy, path: str) -> None:
    same = {"X-Correlation-Id": "0a1b2c3d-0000-4000-8000-000000000000"}
    for id in ("n1", "$ne", "n 1", "a" * 65):
        toy.note(id=id)

    answer = toy.client().get(path, headers=same)

    assert answer.data == toy.client().get("/v1/notes/n2", headers=same).data


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "OPTIONS", "TRACE", "PROPFIND"])
def test_other_methods_are_405_with_allow(toy: Toy, method: str) -> None:
    answer = toy.client().open("/v1/notes/n1", method=method)

    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}
    assert answer.json["status"] == 405


@pytest.mark.parametrize("broken", [RuntimeError("secret words"), KeyError("secret words")])
def test_fault_is_500_without_its_words(toy: Toy, broken: Exception) -> None:
    toy.note()
    toy.database.broken = broken

    answer = toy.client().get("/v1/notes/n1")

    assert answer.status_code == 500
    assert b"secret" not in answer.data


def _outbox_full() -> Exception:
    from shared.store.aggregates import OutboxFull

    return OutboxFull("x")


def _database_away() -> Exception:
    from pymongo.errors import ServerSelectionTimeoutError

    return ServerSelectionTimeoutError("mongodb://secret")


def _keys_away() -> Exception:
    from shared.security.tokens import KeysUnavailable

    return KeysUnavailable("x")


@pytest.mark.parametrize("broken", [_outbox_full, _database_away, _keys_away])
def test_busy_or_away_is_503_with_retry_after(toy: Toy, broken: Callable[[], Exception]) -> None:
    toy.note()
    toy.database.broken = broken()

    answer = toy.client().get("/v1/notes/n1")

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert b"secret" not in answer.data
