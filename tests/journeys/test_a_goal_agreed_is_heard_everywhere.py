"""The main job: a goal agreed reaches the other one's inbox and the app that may hear of it, nobody else."""

import json
from collections.abc import Iterator

import pytest

from scripts.receiver import Received, receiver
from tests.journeys.people import Platform, until

QUIET = 1.0
"""Seconds in which a webhook that must not come would have come many times over."""


@pytest.fixture
def listening() -> Iterator[tuple[str, Received]]:
    """The address of a partner's receiver, and what came there."""
    with receiver() as listening:
        yield listening


@pytest.fixture
def endpoint(running: Platform, listening: tuple[str, Received]) -> Iterator["Verified"]:
    """What a partner's receiver has verified so far, of goal.* events."""
    address, received = listening
    about = {"url": f"{address}/tandem", "event_types": ["goal.proposed", "goal.agreed", "goal.declined"]}
    made = running.create("app", "partners", "/endpoints", about)
    received.secret = made.body["secret"]
    yield Verified(received)
    path = f"/endpoints/{made.body['id']}"
    found = running.ask("app", "GET", "partners", path).expect(200)
    running.ask("app", "DELETE", "partners", path, match=found.etag).expect(200)
    assert received.refused == []


class Verified:
    def __init__(self, received: Received) -> None:
        self._received = received

    def types_of(self, goal: str) -> list[str]:
        events = [json.loads(body) for body in self._received.verified]
        return [event["type"] for event in events if event["subject"] == goal]

    def bodies(self) -> str:
        return "\n".join(self._received.verified)


def test_the_story(running: Platform, endpoint: Verified) -> None:
    ungranted = running.agree("clara", "maya", "Walk each morning")
    grant = running.grant(["goal.agreed"], ["goal.read"])
    unconsented = running.agree("clara", "maya", "Call a friend")
    running.consent("maya")

    goal = running.agree("clara", "maya", "Sleep before midnight")

    entry = until(lambda: [one for one in running.inbox("clara") if one["about_id"] == goal])[0]
    assert (entry["kind"], entry["text"]) == ("goal.agreed", "Maya Moreno agreed to a goal.")
    until(lambda: endpoint.types_of(goal))
    noahs = running.agree("clara", "noah", "Read a page")
    until(lambda: any(one["about_id"] == noahs for one in running.inbox("clara")))
    assert endpoint.types_of(goal) == ["goal.agreed"]
    assert endpoint.types_of(ungranted) == endpoint.types_of(unconsented) == endpoint.types_of(noahs) == []
    assert "midnight" not in endpoint.bodies()

    # What the app was told of, it may fetch as long as both still stand.
    read = f"/goals/{goal}"
    assert running.ask("app in practice", "GET", "goals", read).body["status"] == "agreed"
    running.consent("maya", "DELETE")
    until(lambda: running.ask("app in practice", "GET", "goals", read).status == 404, seconds=5)
    withdrawn = running.agree("clara", "maya", "Write a letter")
    running.consent("maya")
    running.revoke(grant.body["id"])
    revoked = running.agree("clara", "maya", "Read the letter")
    until(lambda: any(one["about_id"] == revoked for one in running.inbox("clara")))
    assert endpoint.types_of(withdrawn) == endpoint.types_of(revoked) == []
    running.consent("maya", "DELETE")


def test_the_client_proposes_and_the_clinician_is_told_and_declines(running: Platform) -> None:
    maya = running.id("maya")
    goal = running.create("maya", "goals", f"/clients/{maya}/goals", {"what": "Play the piano again"})
    assert goal.body["notice"]["crisis_text"]
    asked = until(lambda: [one for one in running.inbox("clara") if one["about_id"] == goal.body["id"]])[0]
    assert asked["text"] == "Maya Moreno proposed a goal."

    running.ask("clara", "POST", "goals", f"/goals/{goal.body['id']}/refusal", match=goal.etag).expect(200)

    told = until(lambda: [one for one in running.inbox("maya") if one["about_id"] == goal.body["id"]])[0]
    assert told["text"] == "Clara Costa declined a goal."


def test_feedback_is_heard_and_answered(running: Platform) -> None:
    ratings = {"heard": 9, "mattered": 8, "pace": 4, "could_say": 7, "usable": 6}
    about = {"session_on": "2026-11-19", "ratings": ratings, "least_helpful": "We hurried"}
    given = running.create("maya", "feedback", f"/clients/{running.id('maya')}/feedback", about)
    path = f"/feedback/{given.body['id']}"
    until(lambda: any(one["about_id"] == given.body["id"] for one in running.inbox("clara")))

    answer = {"text": "We take one thing a time.", "change": "Only one exercise a week."}
    seen = running.ask("clara", "GET", "feedback", path).expect(200)
    running.ask("clara", "POST", "feedback", f"{path}/answer", body=answer, match=seen.etag).expect(200)

    told = until(lambda: [one for one in running.inbox("maya") if one["about_id"] == given.body["id"]])[0]
    assert told["kind"] == "feedback.answered"
    assert running.ask("maya", "GET", "feedback", path).body["answer"]["change"] == answer["change"]


def test_a_correlation_id_is_found_in_the_logs_of_every_service_it_reached(running: Platform) -> None:
    goal = running.agree("clara", "maya", "Something to follow")
    until(lambda: any(one["about_id"] == goal for one in running.inbox("clara")))

    web = (running.place.logs / "goals-web.log").read_text().splitlines()
    posted = [json.loads(line) for line in web if '"POST"' in line and "agreement" in line][-1]
    for service in ("notifications", "partners"):
        log = running.place.logs / f"{service}-worker.log"
        until(lambda log=log: posted["correlation_id"] in log.read_text())  # type: ignore[misc]
