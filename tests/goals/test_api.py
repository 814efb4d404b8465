"""Requests to goals: who may, in which order they are refused, and what a repeat finds."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from scripts.waiting import until
from services.goals.app import service
from shared.clock import now
from shared.store.indexes import prepare
from tests import hearing
from tests.requests import Requests

CRISIS = {"en": "Call 988.", "de": "Rufen Sie 112 an."}
GOAL = {"what": "Sleep through the night", "why": "To be awake for my children", "target_on": "2027-03-01"}


@pytest.fixture
def request_(database: Any) -> Requests:
    prepare(database, service.collections)
    hearing.hear(
        service,
        database,
        hearing.member("clara", "clinician"),
        hearing.member("colin", "clinician"),
        hearing.member("olivia", "owner"),
        hearing.client("maya"),
        hearing.client("noah"),
        hearing.client("una"),
        hearing.episode("maya", "clara"),
        hearing.episode("noah", "colin"),
        hearing.member("mallory", "clinician", practice_id="q"),
        hearing.episode("zoe", "mallory", practice_id="q"),
    )
    return Requests(service, database)


def test_the_story(request_: Requests) -> None:
    made = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL)
    assert made.status_code == 201
    goal = made.get_json()
    assert goal["status"] == "proposed"
    assert made.headers["Location"].endswith(f"/v1/goals/{goal['id']}")

    seen = request_("client:maya", "GET", f"/v1/goals/{goal['id']}")
    assert seen.get_json() == goal
    assert goal["notice"] is None

    agreed = request_("client:maya", "POST", f"/v1/goals/{goal['id']}/agreement", match=seen.headers["ETag"])
    assert (agreed.status_code, agreed.get_json()["status"]) == (200, "agreed")
    assert agreed.get_json()["decided_by"] == "maya"

    listed = request_("member:clara", "GET", "/v1/clients/maya/goals").get_json()
    assert [one["id"] for one in listed["items"]] == [goal["id"]]
    assert listed["next"] is None


def test_a_client_proposes_to_the_clinician_of_the_episode(request_: Requests) -> None:
    made = request_("client:maya", "POST", "/v1/clients/maya/goals", json=GOAL)

    assert (made.status_code, made.get_json()["clinician_id"]) == (201, "clara")


@pytest.mark.parametrize(
    "caller",
    ["member:colin", "member:olivia", "client:noah", "member:nobody", "member:mallory:q", "app:ehr"],
)
def test_who_has_nothing_to_do_with_the_client_sees_nothing(request_: Requests, caller: str) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()

    answers = [
        request_(caller, "GET", f"/v1/goals/{goal['id']}"),
        request_(caller, "GET", "/v1/goals/00000000-0000-0000-0000-000000000000"),
        request_(caller, "GET", "/v1/clients/maya/goals"),
        request_(caller, "POST", "/v1/clients/maya/goals", json={"what": {"$ne": 1}}),
        request_(caller, "POST", f"/v1/goals/{goal['id']}/agreement"),
        request_(caller, "POST", f"/v1/goals/{goal['id']}/refusal", match='"99"'),
    ]

    documents = [{**one.get_json(), "correlation_id": ""} for one in answers]
    assert {one.status_code for one in answers} == {404}
    assert all(one == documents[0] for one in documents)


def test_a_revoked_grant_ends_what_an_app_read_a_moment_ago(request_: Requests, database: Any) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    hearing.hear(service, database, hearing.grant("ehr", ["goal.read"]), hearing.consent("maya", "ehr"))

    def status() -> int:
        return request_("app:ehr", "GET", f"/v1/goals/{goal['id']}").status_code

    assert status() == 200
    hearing.hear(service, database, hearing.revocation("ehr"))
    assert not until({"refused": lambda: status() == 404}, 5.0)


def test_an_app_reads_what_grant_and_consent_allow(request_: Requests, database: Any) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    read = [f"/v1/goals/{goal['id']}", "/v1/clients/maya/goals"]

    def statuses() -> list[int]:
        return [request_("app:ehr", "GET", path).status_code for path in read]

    assert statuses() == [404, 404]
    hearing.hear(service, database, hearing.grant("ehr", ["goal.read"]))
    assert statuses() == [404, 404]
    hearing.hear(service, database, hearing.consent("maya", "ehr"))
    assert statuses() == [200, 404]
    withdrawn = {"client_id": "maya", "app_id": "ehr"}
    hearing.hear(
        service, database, hearing.message("client.consent_withdrawn", "practices", withdrawn, sequence=3)
    )
    assert_within_5_s(lambda: statuses() == [404, 404])


def assert_within_5_s(holds: Callable[[], bool]) -> None:
    """An entitlement that was used is remembered for a second; one that was not, is not."""
    assert not until({"it": holds}, 5.0)


def test_a_suspension_is_obeyed_whatever_the_token_says(request_: Requests, database: Any) -> None:
    assert request_("member:clara", "GET", "/v1/clients/maya/goals").status_code == 200

    suspended = hearing.message("member.suspended", "practices", {"member_id": "clara"}, sequence=2)
    hearing.hear(service, database, suspended)

    assert request_("member:clara", "GET", "/v1/clients/noah/goals").status_code == 404
    assert_within_5_s(lambda: request_("member:clara", "GET", "/v1/clients/maya/goals").status_code == 404)


@pytest.mark.parametrize(("older", "newer"), [("e-1", "e-2"), ("e-2", "e-1")])
def test_a_clients_proposal_goes_to_the_clinician_of_the_latest_episode_who_still_works_here(
    request_: Requests, database: Any, older: str, newer: str
) -> None:
    began = now()
    hearing.hear(
        service,
        database,
        hearing.episode("una", "clara", started_at=began - timedelta(days=9), id=older),
        hearing.episode("una", "colin", started_at=began, id=newer),
    )

    def proposed_to() -> str:
        made = request_("client:una", "POST", "/v1/clients/una/goals", json=GOAL)
        return str(made.get_json().get("clinician_id", made.status_code))

    assert proposed_to() == "colin"
    for member, then in (("colin", "clara"), ("clara", "409")):
        gone = hearing.message("member.suspended", "practices", {"member_id": member}, sequence=2)
        hearing.hear(service, database, gone)
        assert proposed_to() == then


@pytest.mark.parametrize(
    ("type", "status", "proposing"),
    [
        ("episode.paused", "paused", 201),
        ("episode.aftercare_arranged", "aftercare", 201),
        ("episode.ended", "ended", 409),
    ],
)
def test_a_goal_is_proposed_while_somebody_hears_of_it(
    request_: Requests, database: Any, type: str, status: str, proposing: int
) -> None:
    hearing.hear(service, database, hearing.step(type, "maya", "clara", status, sequence=9))

    for caller in ("client:maya", "member:clara"):
        made = request_(caller, "POST", "/v1/clients/maya/goals", json=GOAL)
        read = request_(caller, "GET", "/v1/clients/maya/goals")
        assert (made.status_code, read.status_code) == (proposing, 200)


def test_in_an_episode_that_has_not_begun_nothing_is_proposed(request_: Requests, database: Any) -> None:
    planned = {"episode_id": "e", "client_id": "una", "clinician_id": "clara", "status": "planned"}
    hearing.hear(
        service, database, hearing.message("episode.planned", "practices", {**planned, "starts_at": now()})
    )

    refused = request_("member:clara", "POST", "/v1/clients/una/goals", json=GOAL)

    assert refused.get_json()["type"] == "/problems/no-episode"


def test_a_clinician_sees_a_client_until_the_episode_is_closed(request_: Requests, database: Any) -> None:
    closed = hearing.step("episode.closed", "maya", "clara", "closed", sequence=9)
    hearing.hear(service, database, closed)

    assert request_("member:clara", "GET", "/v1/clients/maya/goals").status_code == 404
    assert request_("client:maya", "GET", "/v1/clients/maya/goals").status_code == 200


def test_who_has_an_episode_now_sees_the_client_and_the_one_before_does_not(
    request_: Requests, database: Any
) -> None:
    moved = hearing.step("episode.transferred", "maya", "colin", "active", 9, id="e-maya-clara")
    # A later event of the same episode may be the first to come.
    hearing.hear(service, database, moved)
    hearing.hear(service, database, hearing.episode("maya", "clara"))

    assert request_("member:colin", "GET", "/v1/clients/maya/goals").status_code == 200
    assert request_("member:clara", "GET", "/v1/clients/maya/goals").status_code == 404


def transfer(database: Any, clinician: str) -> None:
    """Maya's episode is another clinician's from now on."""
    moved = hearing.step("episode.transferred", "maya", clinician, "active", 9, id="e-maya-clara")
    hearing.hear(service, database, moved)


@pytest.mark.parametrize("decision", ["agreement", "refusal"])
def test_what_the_clinician_before_proposed_is_between_the_client_and_the_one_of_today(
    request_: Requests, database: Any, decision: str
) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    transfer(database, "colin")
    path = f"/v1/goals/{goal['id']}/{decision}"

    colins = request_("member:colin", "POST", path, match='"1"')
    decided = request_("client:maya", "POST", path, match='"1"')

    assert (colins.status_code, colins.get_json()["type"]) == (409, "/problems/not-asked")
    assert (decided.status_code, decided.get_json()["clinician_id"]) == (200, "colin")
    assert database["goals"].find_one({})["outbox"][-1]["data"]["clinician_id"] == "colin"


@pytest.mark.parametrize("decision", ["agreement", "refusal"])
def test_what_the_client_proposed_to_the_clinician_before_is_decided_by_the_one_of_today(
    request_: Requests, database: Any, decision: str
) -> None:
    goal = request_("client:maya", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    transfer(database, "colin")
    path = f"/v1/goals/{goal['id']}/{decision}"

    claras = request_("member:clara", "POST", path, match='"1"')
    decided = request_("member:colin", "POST", path, match='"1"')

    assert claras.status_code == 404
    assert (decided.status_code, decided.get_json()["clinician_id"]) == (200, "colin")
    assert database["goals"].find_one({})["outbox"][-1]["data"]["clinician_id"] == "colin"


def test_of_two_clinicians_the_one_who_proposed_hears_of_it(request_: Requests, database: Any) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    hearing.hear(service, database, hearing.episode("maya", "colin"))

    agreed = request_("client:maya", "POST", f"/v1/goals/{goal['id']}/agreement", match='"1"')

    assert agreed.get_json()["clinician_id"] == "clara"


@pytest.mark.parametrize(("by", "other"), [("member:clara", "client:maya"), ("client:maya", "member:clara")])
def test_after_the_end_nothing_is_agreed_and_what_nobody_wants_is_declined(
    request_: Requests, database: Any, by: str, other: str
) -> None:
    goal = request_(by, "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    hearing.hear(service, database, hearing.step("episode.ended", "maya", "clara", "ended", sequence=9))

    agreed = request_(other, "POST", f"/v1/goals/{goal['id']}/agreement", match='"1"')
    declined = request_(other, "POST", f"/v1/goals/{goal['id']}/refusal", match='"1"')

    assert (agreed.status_code, agreed.get_json()["type"]) == (409, "/problems/no-episode")
    assert (declined.status_code, declined.get_json()["status"]) == (200, "declined")


def test_a_consent_to_something_else_shows_no_goal(request_: Requests, database: Any) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    grant = hearing.grant("ehr", ["goal.read"])
    hearing.hear(service, database, grant, hearing.consent("maya", "ehr", covers=["episode"]))

    assert request_("app:ehr", "GET", f"/v1/goals/{goal['id']}").status_code == 404


def test_without_an_episode_there_is_no_goal(request_: Requests) -> None:
    refused = request_("client:una", "POST", "/v1/clients/una/goals", json=GOAL)

    assert refused.status_code == 409
    assert refused.get_json()["type"] == "/problems/no-episode"


def test_a_change_names_the_version_seen(request_: Requests) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()
    path = f"/v1/goals/{goal['id']}/agreement"

    assert request_("client:maya", "POST", path).status_code == 428
    for stale in ('"0"', '"2"', "1", 'W/"1"', "*", '"1", "2"'):
        assert request_("client:maya", "POST", path, match=stale).status_code == 412
    assert request_("client:maya", "POST", path, match='"1"').status_code == 200
    assert request_("client:maya", "POST", path, match='"1"').status_code == 412
    assert request_("client:maya", "POST", path, match='"2"').status_code == 409


def test_the_answer_to_a_clients_words_says_that_nobody_reads_along_and_where_help_is(
    request_: Requests, database: Any
) -> None:
    texts = {"name": "P", "timezone": "UTC", "languages": ["de", "en"], "crisis_texts": CRISIS}
    hearing.hear(service, database, hearing.message("practice.opened", "practices", texts))

    by_client = request_("client:maya", "POST", "/v1/clients/maya/goals", json=GOAL)
    by_clinician = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL)
    read = request_("client:maya", "GET", f"/v1/goals/{by_client.get_json()['id']}")

    assert by_client.get_json()["notice"]["crisis_text"] == CRISIS["en"]
    assert "Nobody reads this live" in by_client.get_json()["notice"]["text"]
    assert by_clinician.get_json()["notice"] is None
    assert read.get_json()["notice"] is None


def test_the_crisis_text_is_the_present_one(request_: Requests, database: Any) -> None:
    about = {"name": "P", "timezone": "UTC", "languages": ["en"]}

    def said(type: str, sequence: int, text: str) -> bytes:
        texts = about | {"crisis_texts": {"en": text}}
        return hearing.message(type, "practices", texts, sequence=sequence)

    changed, opened = said("practice.changed", 2, "Call 116 123."), said("practice.opened", 1, "Call 988.")
    hearing.hear(service, database, changed, opened)

    made = request_("client:maya", "POST", "/v1/clients/maya/goals", json=GOAL)

    assert made.get_json()["notice"]["crisis_text"] == "Call 116 123."


def test_who_proposed_does_not_agree(request_: Requests) -> None:
    goal = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()

    refused = request_("member:clara", "POST", f"/v1/goals/{goal['id']}/agreement", match='"1"')

    assert (refused.status_code, refused.get_json()["type"]) == (409, "/problems/not-asked")


def test_a_repeat_finds_what_the_first_request_made(request_: Requests, database: Any) -> None:
    path = "/v1/clients/maya/goals"
    first = request_("member:clara", "POST", path, json=GOAL, key="k")
    goal = first.get_json()
    request_("client:maya", "POST", f"/v1/goals/{goal['id']}/agreement", match='"1"')

    again = request_("member:clara", "POST", path, json=GOAL, key="k")

    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.get_json()["id"], again.get_json()["status"]) == (goal["id"], "agreed")
    assert request_("member:clara", "POST", path, json={"what": "Another"}, key="k").status_code == 422
    assert database["goals"].count_documents({}) == 1
    assert len(database["goals"].find_one({})["outbox"]) == 2


def test_a_key_is_its_callers_own(request_: Requests, database: Any) -> None:
    request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL, key="k")
    request_("client:maya", "POST", "/v1/clients/maya/goals", json=GOAL, key="k")

    assert database["goals"].count_documents({}) == 2


def test_an_event_says_ids_only(request_: Requests, database: Any) -> None:
    request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL)

    [record] = database["goals"].find_one({})["outbox"]
    assert record["data"].keys() == {"goal_id", "client_id", "clinician_id", "proposed_by"}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"what": ""},
        {"what": "   "},
        {"what": 7},
        {"what": {"$ne": 1}},
        {"what": ["x"]},
        {"what": "x" * 2001},
        {"what": "a\x00b"},
        {"what": "x", "status": "agreed"},
        {"what": "x", "target_on": "31.12.2026"},
        {"what": "x", "target_on": 20261231},
    ],
)
def test_a_body_that_is_no_goal_is_refused_field_by_field(
    request_: Requests, database: Any, body: dict[str, Any]
) -> None:
    refused = request_("member:clara", "POST", "/v1/clients/maya/goals", json=body)

    assert refused.status_code in (400, 422)
    assert refused.content_type == "application/problem+json"
    assert database["goals"].count_documents({}) == 0


def test_words_moved_to_another_client_are_shown_to_nobody(request_: Requests, database: Any) -> None:
    moved = request_("member:clara", "POST", "/v1/clients/maya/goals", json=GOAL).get_json()["id"]
    database["goals"].update_one({"_id": moved}, {"$set": {"client_id": "noah", "clinician_id": "colin"}})

    answers = [
        request_("member:colin", "GET", f"/v1/goals/{moved}"),
        request_("member:colin", "GET", "/v1/clients/noah/goals"),
        request_("client:noah", "POST", f"/v1/goals/{moved}/agreement", match='"1"'),
    ]

    assert [answer.status_code for answer in answers] == [500] * 3
    assert {answer.get_json()["type"] for answer in answers} == {"about:blank"}
    assert not any(GOAL["what"] in answer.get_data(as_text=True) for answer in answers)
