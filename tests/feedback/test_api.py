"""Requests to feedback: only the client gives it, only the clinician of the episode answers."""

from typing import Any

import pytest

from services.feedback.app import service
from shared.store.indexes import prepare
from tests import hearing
from tests.requests import Requests

FEEDBACK = {
    "session_on": "2026-11-19",
    "ratings": {"heard": 9, "mattered": 8, "pace": 5, "could_say": 7, "usable": 6},
    "most_helpful": "Naming it",
    "least_helpful": "The questionnaire\nat the start",
}
ANSWER = {"text": "We leave the questionnaire out.", "change": "No forms in the first ten minutes."}


@pytest.fixture
def request_(database: Any) -> Requests:
    prepare(database, service.collections)
    hearing.hear(
        service,
        database,
        hearing.member("clara", "clinician"),
        hearing.member("colin", "clinician"),
        hearing.member("olivia", "owner", "admin", "supervisor"),
        hearing.client("maya"),
        hearing.client("noah"),
        hearing.episode("maya", "clara"),
        hearing.episode("noah", "colin"),
    )
    return Requests(service, database)


def test_the_story(request_: Requests) -> None:
    made = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=FEEDBACK)
    feedback = made.get_json()
    assert made.status_code == 201
    assert {name: feedback[name] for name in FEEDBACK} == FEEDBACK
    assert feedback["answer"] is None

    path = f"/v1/feedback/{feedback['id']}"
    seen = request_("member:clara", "GET", path)
    answered = request_("member:clara", "POST", f"{path}/answer", json=ANSWER, match=seen.headers["ETag"])
    assert answered.status_code == 200

    told = request_("client:maya", "GET", path).get_json()["answer"]
    assert (told["text"], told["change"], told["answered_by"]) == (*ANSWER.values(), "clara")
    assert request_("member:clara", "POST", f"{path}/answer", json=ANSWER, match='"2"').status_code == 409


@pytest.mark.parametrize("caller", ["member:colin", "member:olivia", "client:noah", "app:ehr"])
def test_nobody_else_sees_or_answers_it(request_: Requests, caller: str) -> None:
    id = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=FEEDBACK).get_json()["id"]

    answers = [
        request_(caller, "GET", f"/v1/feedback/{id}"),
        request_(caller, "GET", "/v1/clients/maya/feedback"),
        request_(caller, "POST", "/v1/clients/maya/feedback", json=FEEDBACK),
        request_(caller, "POST", f"/v1/feedback/{id}/answer", json=ANSWER, match='"1"'),
    ]

    assert {one.status_code for one in answers} == {404}


def test_after_a_transfer_the_clinician_of_today_hears_and_answers(request_: Requests, database: Any) -> None:
    before = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=FEEDBACK).get_json()
    moved = hearing.step("episode.transferred", "maya", "colin", "active", 9, id="e-maya-clara")
    hearing.hear(service, database, moved)
    answering = f"/v1/feedback/{before['id']}/answer"

    after = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=FEEDBACK, key="after")
    claras = request_("member:clara", "POST", answering, json=ANSWER, match='"1"')
    colins = request_("member:colin", "POST", answering, json=ANSWER, match='"1"')

    assert (before["clinician_id"], after.get_json()["clinician_id"]) == ("clara", "colin")
    assert (claras.status_code, colins.status_code) == (404, 200)
    said = database["feedback"].find_one({"_id": before["id"]})["outbox"][-1]["data"]
    assert said == {"feedback_id": before["id"], "client_id": "maya", "clinician_id": "colin"}


def test_a_clinician_does_not_give_it_and_a_client_does_not_answer(request_: Requests) -> None:
    id = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=FEEDBACK).get_json()["id"]

    given = request_("member:clara", "POST", "/v1/clients/maya/feedback", json=FEEDBACK)
    answered = request_("client:maya", "POST", f"/v1/feedback/{id}/answer", json=ANSWER, match='"1"')

    assert {given.status_code, answered.status_code} == {404}


@pytest.mark.parametrize("rating", [-1, 11, 5.5, "5", True, None, {"$gt": 0}])
def test_a_rating_is_a_whole_number_from_0_to_10(request_: Requests, database: Any, rating: Any) -> None:
    body = {**FEEDBACK, "ratings": {**FEEDBACK["ratings"], "pace": rating}}  # type: ignore[dict-item]

    refused = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=body)

    assert refused.status_code == 422
    assert "pace" in str(refused.get_json()["errors"])
    assert database["feedback"].count_documents({}) == 0


def test_a_session_that_has_not_been_held_is_told_as_a_problem(request_: Requests) -> None:
    refused = request_(
        "client:maya", "POST", "/v1/clients/maya/feedback", json={**FEEDBACK, "session_on": "2199-01-01"}
    )

    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/session-not-held-yet")


def test_no_event_carries_what_was_written(request_: Requests, database: Any) -> None:
    id = request_("client:maya", "POST", "/v1/clients/maya/feedback", json=FEEDBACK).get_json()["id"]
    request_("member:clara", "POST", f"/v1/feedback/{id}/answer", json=ANSWER, match='"1"')

    outbox = database["feedback"].find_one({})["outbox"]
    assert [record["type"] for record in outbox] == ["feedback.given", "feedback.answered"]
    assert all(record["data"].keys() == {"feedback_id", "client_id", "clinician_id"} for record in outbox)
