"""Whoever must hear of something finds it in their inbox, once, in any order of arrival."""

import itertools
from typing import Any

import pytest

from services.notifications.app import service
from shared.messaging.handling import Handling, Work
from shared.store.indexes import prepare
from tests import hearing
from tests.requests import Requests

MAYA, CLARA = hearing.client("maya", name="Maya"), hearing.member("clara", "clinician", name="Clara")
GOAL = {"goal_id": "g", "client_id": "maya", "clinician_id": "clara", "proposed_by": "clara"}
PROPOSED = hearing.message("goal.proposed", "goals", GOAL)
AGREED = hearing.message("goal.agreed", "goals", {**GOAL, "agreed_by": "maya"}, sequence=2)


@pytest.fixture
def request_(database: Any) -> Requests:
    prepare(database, service.collections)
    return Requests(service, database)


def inbox(request_: Requests, person: str) -> list[dict[str, Any]]:
    answer = request_(person, "GET", "/v1/notifications")
    assert answer.status_code == 200
    items: list[dict[str, Any]] = answer.get_json()["items"]
    return items


@pytest.mark.parametrize(
    ("type", "by", "hears", "text"),
    [
        ("goal.proposed", {"proposed_by": "clara"}, "client:maya", "Clara proposed a goal."),
        ("goal.proposed", {"proposed_by": "maya"}, "member:clara", "Maya proposed a goal."),
        ("goal.agreed", {"agreed_by": "maya"}, "member:clara", "Maya agreed to a goal."),
        ("goal.agreed", {"agreed_by": "clara"}, "client:maya", "Clara agreed to a goal."),
        ("goal.declined", {"declined_by": "maya"}, "member:clara", "Maya declined a goal."),
        ("feedback.given", {}, "member:clara", "Maya gave feedback on a session."),
        ("feedback.answered", {}, "client:maya", "Clara answered your feedback."),
    ],
)
def test_the_other_one_hears_of_it(
    request_: Requests, database: Any, type: str, by: dict[str, str], hears: str, text: str
) -> None:
    source = "feedback" if type.startswith("feedback") else "goals"
    data = {"feedback_id": "x"} if source == "feedback" else {"goal_id": "x"}
    event = hearing.message(type, source, {**data, "client_id": "maya", "clinician_id": "clara", **by})

    hearing.hear(service, database, MAYA, CLARA, event)

    other = "member:clara" if hears == "client:maya" else "client:maya"
    [entry] = inbox(request_, hears)
    assert (entry["kind"], entry["text"], entry["about_id"], entry["read_at"]) == (type, text, "x", None)
    assert inbox(request_, other) == []


def test_every_owner_hears_of_emergency_access_once_and_nobody_else(
    request_: Requests, database: Any
) -> None:
    times = {"began_at": "2026-11-20T10:00:00Z", "ends_at": "2026-11-20T11:00:00Z"}
    broken = {"look_id": "l", "client_id": "maya", "member_id": "clara", "owner_ids": ["olivia", "otto"]}
    owners = [hearing.member(id, "owner", name=id) for id in broken["owner_ids"]]
    event = hearing.message("client.glass_broken", "practices", {**broken, **times})

    hearing.hear(service, database, MAYA, CLARA, *owners, event, event)

    for owner in broken["owner_ids"]:
        [entry] = inbox(request_, f"member:{owner}")
        assert (entry["text"], entry["about_id"]) == ("Clara used emergency access for an hour.", "maya")
    assert inbox(request_, "member:clara") == inbox(request_, "client:maya") == []


BETWEEN = {"episode_id": "e", "client_id": "maya", "clinician_id": "clara"}


@pytest.mark.parametrize(
    ("type", "by", "hear"),
    [
        ("episode.paused", {"paused_by": "maya"}, ["member:clara"]),
        ("episode.paused", {"paused_by": "clara"}, ["client:maya"]),
        ("episode.paused", {"paused_by": "olivia"}, ["client:maya", "member:clara"]),
        ("episode.resumed", {"resumed_by": "maya"}, ["member:clara"]),
        ("episode.ended", {"ended_by": "maya"}, ["member:clara"]),
        ("episode.closed", {"closed_by": "maya"}, ["member:clara"]),
        ("episode.closed", {"closed_by": "clara"}, ["client:maya"]),
        ("episode.closed", {"closed_by": "olivia"}, ["client:maya", "member:clara"]),
        ("episode.closed", {"closed_by": None}, []),
        ("episode.resume_asked", {}, ["client:maya", "member:clara"]),
        ("episode.transferred", {"from_clinician_id": "olivia"}, ["client:maya", "member:clara"]),
        ("episode.check_in_due", {}, ["member:clara"]),
        ("episode.readiness_rated", {}, ["member:clara"]),
        ("episode.another_clinician_wished", {"wish_id": "e", "told": ["olivia"]}, ["member:olivia"]),
        ("episode.another_clinician_wish_settled", {"wish_id": "e", "settled_by": "olivia"}, ["client:maya"]),
    ],
)
def test_whoever_an_episode_concerns_hears_of_its_steps(
    request_: Requests, database: Any, type: str, by: dict[str, Any], hear: list[str]
) -> None:
    olivia = hearing.member("olivia", "owner", name="Olivia")

    event = hearing.message(type, "practices", {**BETWEEN, "status": "paused", **by})
    hearing.hear(service, database, MAYA, CLARA, olivia, event)

    for person in ("client:maya", "member:clara", "member:olivia"):
        told = [(one["kind"], one["about_id"]) for one in inbox(request_, person)]
        assert told == ([(type, "e")] if person in hear else [])


def test_after_a_transfer_each_hears_with_whom_they_go_on(request_: Requests, database: Any) -> None:
    event = hearing.step("episode.transferred", "maya", "clara", "active", sequence=2)

    hearing.hear(service, database, MAYA, CLARA, event)

    told = {person: inbox(request_, person)[0]["text"] for person in ("client:maya", "member:clara")}
    assert told == {
        "client:maya": "It is you and Clara from now on.",
        "member:clara": "It is you and Maya from now on.",
    }


def test_who_enrolled_a_client_hears_that_they_have_come(request_: Requests, database: Any) -> None:
    data = {"client_id": "maya", "enrolled_by": "clara", "joined_at": "2026-03-01T09:00:00Z"}

    hearing.hear(service, database, MAYA, CLARA, hearing.message("client.joined", "practices", data))

    assert [one["text"] for one in inbox(request_, "member:clara")] == ["Maya has accepted your invitation."]


def test_a_changed_name_is_the_one_told(request_: Requests, database: Any) -> None:
    changed = {"client_id": "maya", "display_name": "Maya M", "language": "en", "timezone": "UTC"}

    hearing.hear(service, database, MAYA, CLARA, PROPOSED, AGREED)
    hearing.hear(service, database, hearing.message("client.changed", "practices", changed, sequence=2))

    assert [one["text"] for one in inbox(request_, "member:clara")] == ["Maya M agreed to a goal."]


def test_every_order_with_repeats_gives_the_same_inboxes(request_: Requests, database: Any) -> None:
    ends = []
    for order in itertools.permutations([MAYA, CLARA, PROPOSED, AGREED]):
        for name in ("people", "members", "clients", "notifications"):
            database[name].delete_many({})
        waiting = [Work(raw) for raw in (*order, *order)]
        while waiting:
            for work in waiting:
                Handling(service.subscriber, database, service.collections).run([work])
            assert not any(work.error for work in waiting)
            waiting = [Work(work.raw) for work in waiting if work.waits_for]
        ends.append((inbox(request_, "member:clara"), inbox(request_, "client:maya")))

    assert len(ends) == 24
    assert all(end == ends[0] for end in ends)
    assert [len(one) for one in ends[0]] == [1, 1]


def test_what_comes_before_the_people_it_is_about_waits(database: Any) -> None:
    prepare(database, service.collections)

    [work] = hearing.hear(service, database, AGREED)

    assert work.waits_for == ["people/clara", "people/maya"]
    assert database["notifications"].count_documents({}) == 0


def test_reading_marks_it_once_and_counts_down(request_: Requests, database: Any) -> None:
    hearing.hear(service, database, MAYA, CLARA, PROPOSED)
    [entry] = inbox(request_, "client:maya")
    assert request_("client:maya", "GET", "/v1/notifications/unread").get_json() == {"unread": 1}

    path = f"/v1/notifications/{entry['id']}/read"
    first = request_("client:maya", "PUT", path)
    second = request_("client:maya", "PUT", path)

    assert first.status_code == second.status_code == 200
    assert first.get_json()["read_at"] == second.get_json()["read_at"] is not None
    assert request_("client:maya", "GET", "/v1/notifications/unread").get_json() == {"unread": 0}


def test_an_event_that_comes_again_does_not_become_unread(request_: Requests, database: Any) -> None:
    hearing.hear(service, database, MAYA, CLARA, PROPOSED)
    [entry] = inbox(request_, "client:maya")
    request_("client:maya", "PUT", f"/v1/notifications/{entry['id']}/read")

    hearing.hear(service, database, PROPOSED)

    assert request_("client:maya", "GET", "/v1/notifications/unread").get_json() == {"unread": 0}


@pytest.mark.parametrize("caller", ["member:clara", "client:noah", "client:maya:q", "app:ehr"])
def test_nobody_reads_or_marks_anothers(request_: Requests, database: Any, caller: str) -> None:
    hearing.hear(service, database, MAYA, CLARA, hearing.client("noah"), PROPOSED)
    [entry] = inbox(request_, "client:maya")

    foreign = request_(caller, "PUT", f"/v1/notifications/{entry['id']}/read")
    absent = request_(caller, "PUT", "/v1/notifications/nothing/read")

    assert foreign.status_code == absent.status_code == 404
    assert {**foreign.get_json(), "correlation_id": ""} == {**absent.get_json(), "correlation_id": ""}
    assert request_("client:maya", "GET", "/v1/notifications/unread").get_json() == {"unread": 1}


def test_pages_hold_every_entry_once_newest_first(request_: Requests, database: Any) -> None:
    events = [hearing.message("goal.proposed", "goals", {**GOAL, "goal_id": f"g{n}"}) for n in range(7)]
    hearing.hear(service, database, MAYA, CLARA, *events)

    seen: list[dict[str, Any]] = []
    path = "/v1/notifications?limit=3"
    while True:
        page = request_("client:maya", "GET", path).get_json()
        seen += page["items"]
        if page["next"] is None:
            break
        path = f"/v1/notifications?limit=3&cursor={page['next']}"

    assert len({one["id"] for one in seen}) == len(seen) == 7
    assert [one["at"] for one in seen] == sorted((one["at"] for one in seen), reverse=True)


def test_no_name_is_kept_with_an_entry(request_: Requests, database: Any) -> None:
    hearing.hear(service, database, MAYA, CLARA, PROPOSED)

    assert "Clara" not in str(database["notifications"].find_one({}))
