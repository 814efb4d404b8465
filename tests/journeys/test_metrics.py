"""What operators watch: /metrics of every process after the story, and while something is wrong.

Other journeys share the platform, so that figures are compared with those of a moment before, when it was at
rest.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from amqp import Message

from scripts import parts
from scripts.api import call
from shared.clock import now
from shared.ids import new_id
from shared.messaging.envelope import encode
from shared.messaging.link import linked
from shared.messaging.publisher import Publisher
from shared.messaging.topology import EXCHANGE, events_queue
from tests.figures import Figures
from tests.journeys import test_a_goal_agreed_is_heard_everywhere as story
from tests.journeys.people import Platform, until

endpoint, listening = story.endpoint, story.listening
QUIET = 2.5
"""Seconds in which figures that are still to rise would have risen; the database's may be two seconds old."""
RELAYING = ("practices", "goals", "feedback")
LABELS = {"method", "route", "status", "how", "state", "became", "le"}
WORD = re.compile(r"[A-Z]+|[a-z_]+|[1-5]\d\d|/[a-z0-9_./<>-]*|\d+(\.\d+)?(e\+\d+)?|\+Inf")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-|@")
REFUSED = "tandem_relay_refused_total"
FULL = "test.full"
LETTERS = {"letters", "invitations", "address"}
RATINGS = dict.fromkeys(("heard", "mattered", "pace", "could_say", "usable"), 5)


def figures(running: Platform) -> dict[str, Figures]:
    ports = running.place.read()["ports"]
    return {part.name: Figures.at(ports[part.metrics]) for part in parts.parts()}


def at_rest(running: Platform) -> dict[str, Figures]:
    """The figures, once nothing of ours has risen or fallen for a while."""
    seen = figures(running)
    since = time.monotonic()

    def still() -> bool:
        nonlocal seen, since
        before, seen = seen, figures(running)
        if any(seen[name].steady() != before[name].steady() for name in seen):
            since = time.monotonic()
        return time.monotonic() - since > QUIET

    until(still)
    return seen


def worker(running: Platform, service: str) -> Figures:
    return Figures.at(running.place.read()["ports"][f"{service}_worker_metrics"])


def feedback(running: Platform) -> str:
    """Maya gives some, of which only notifications hears; its id."""
    about = {"session_on": "2026-11-19", "ratings": RATINGS}
    given = running.create("maya", "feedback", f"/clients/{running.id('maya')}/feedback", about)
    return str(given.body["id"])


def is_told(running: Platform, id: str) -> bool:
    return any(one["about_id"] == id for one in running.inbox("clara"))


@pytest.fixture
def heard(running: Platform, endpoint: story.Verified) -> Iterator[story.Verified]:
    """The app hears of Maya's goals, and all that happened before has come to its end."""
    grant = running.grant(["goal.agreed"], ["goal.read"])
    running.consent("maya")
    goal = running.agree("clara", "maya")
    until(lambda: endpoint.types_of(goal) and is_told(running, goal))
    yield endpoint
    running.consent("maya", "DELETE")
    running.revoke(grant.body["id"])


def test_the_story_is_seen_in_the_figures_of_each_process(running: Platform, heard: story.Verified) -> None:
    """Each rises by what the story is, and by nothing else."""
    nothing_here = running.url("goals", f"/{new_id()}")
    for who in ("clara", "maya"):
        running.token(who)
    before = at_rest(running)

    goal = running.agree("clara", "maya", "Walk to the sea")
    call("GET", nothing_here).expect(404)
    call("POST", running.url("practices", "/sign-in"), body={"email": "noah@example.org"}).expect(202)
    until(lambda: heard.types_of(goal) and is_told(running, goal))
    after = at_rest(running)

    def rose(process: str, name: str, **labels: str) -> float:
        return after[process].since(before[process], name, **labels)

    def answered(process: str, method: str, route: str, status: str) -> float:
        about = {"method": method, "route": route, "status": status}
        return rose(process, "tandem_http_requests_total", **about)

    assert answered("goals-web", "POST", "/v1/clients/<client_id>/goals", "201") == 1
    assert answered("goals-web", "POST", "/v1/goals/<goal_id>/agreement", "200") == 1
    assert answered("goals-web", "GET", "none", "404") == 1
    assert answered("practices-web", "POST", "/v1/sign-in", "202") == 1
    # goal.proposed and goal.agreed: who says them, and who hears them.
    assert {name: rose(f"{name}-worker", "tandem_relay_confirmed_total") for name in RELAYING} == {
        "practices": 0,
        "goals": 2,
        "feedback": 0,
    }
    for service, count in {"goals": 0, "feedback": 0, "notifications": 2, "partners": 2}.items():
        assert rose(f"{service}-worker", "tandem_consumer_handled_total") == count, service
        assert rose(f"{service}-worker", "tandem_consumer_batch_size_sum") == count, service
        took = rose(f"{service}-worker", "tandem_consumer_effect_seconds_sum")
        assert (count > 0) <= (0 < took < 10), service
    assert rose("partners-sender", "tandem_webhook_attempts_total", became="delivered") == 1
    assert rose("practices-worker", "tandem_letters_total", became="sent") == 1

    for service in parts.services():
        held = after[f"{service}-worker"]
        assert held("tandem_relay_lease_held") == (service in RELAYING)
        assert held("tandem_outbox_pending") == held("tandem_outbox_oldest_seconds") == 0
        for how in ("nacked", "returned"):
            assert rose(f"{service}-worker", "tandem_relay_refused_total", how=how) == 0
    assert after["partners-sender"]("tandem_sender_lease_held") == 1
    assert after["partners-sender"]("tandem_webhook_undecided") == 0
    assert after["partners-sender"]("tandem_webhook_overdue_seconds") == 0
    assert after["practices-worker"]("tandem_letters_waiting") == 0


def test_figures_are_sentences_and_labels_say_nothing_of_anybody(running: Platform) -> None:
    goal = running.agree("clara", "maya", "Not in a label")
    until(lambda: is_told(running, goal))

    for process, shown in figures(running).items():
        ours = [family for family in shown.families if family.name.startswith("tandem_")]
        assert ours, process
        assert [one.name for one in ours if not re.fullmatch(r"[A-Z1].*\.", one.documentation)] == []
        assert [one.name for one in ours if one.type not in ("counter", "gauge", "histogram")] == []
        for name, label, value in shown.labels():
            assert label in LABELS, (process, name)
            assert WORD.fullmatch(value), (process, name, value)
            assert not ID.search(value), (process, name, value)


def test_each_process_shows_only_what_it_counts(running: Platform) -> None:
    shown = {
        process: {name.split("_")[1] for name, _ in one.steady()} for process, one in figures(running).items()
    }

    wanted = {f"{service}-web": {"http", "lock"} for service in parts.services()}
    wanted |= {
        f"{service}-worker": {"outbox", "relay", "consumer", "parked", "lock", *LETTERS}
        for service in parts.services()
    }
    wanted["partners-sender"] = {"webhook", "sender", "lock"}
    # Whoever has nothing to hear has no consumer; only practices writes letters.
    wanted["practices-worker"] -= {"consumer"}
    for service in set(parts.services()) - {"practices"}:
        wanted[f"{service}-worker"] -= LETTERS
    assert shown == wanted


def test_what_nobody_takes_is_returned_and_waits_until_somebody_prepares(running: Platform) -> None:
    """Seen by how, how many and how long; a queue without its binding is what `prepare` mends."""
    before = at_rest(running)["feedback-worker"]
    with link(running) as channel:
        channel.queue_unbind(events_queue("notifications"), EXCHANGE, "feedback.given")

    try:
        given = feedback(running)
        until(lambda: worker(running, "feedback").since(before, REFUSED, how="returned") >= 2)
        until(lambda: worker(running, "feedback")("tandem_outbox_oldest_seconds") > 1)
        waiting = worker(running, "feedback")
    finally:
        running.command("notifications", "prepare")
    until(lambda: is_told(running, given))
    after = at_rest(running)["feedback-worker"]

    assert waiting("tandem_outbox_pending") == 1
    assert waiting.since(before, REFUSED, how="nacked") == 0
    assert waiting.since(before, "tandem_relay_confirmed_total") == 0
    assert after.since(before, "tandem_relay_confirmed_total") == 1
    assert after("tandem_outbox_pending") == after("tandem_outbox_oldest_seconds") == 0


def test_what_a_full_queue_refuses_is_nacked_and_waits_until_there_is_room(running: Platform) -> None:
    before = at_rest(running)["feedback-worker"]

    with full_queue(running):
        given = feedback(running)
        until(lambda: worker(running, "feedback").since(before, REFUSED, how="nacked") >= 2)
        until(lambda: worker(running, "feedback")("tandem_outbox_oldest_seconds") > 1)
        waiting = worker(running, "feedback")
    until(lambda: worker(running, "feedback")("tandem_outbox_pending") == 0)
    after = at_rest(running)["feedback-worker"]

    assert waiting("tandem_outbox_pending") == 1
    assert waiting.since(before, REFUSED, how="returned") == 0
    assert waiting.since(before, "tandem_relay_confirmed_total") == 0
    assert after.since(before, "tandem_relay_confirmed_total") == 1
    assert after("tandem_outbox_oldest_seconds") == 0
    # The other queue took it each time; the inbox has it once.
    assert [one["about_id"] for one in running.inbox("clara")].count(given) == 1


def test_what_cannot_be_handled_is_parked_by_state_and_holds_up_nobody(running: Platform) -> None:
    before = at_rest(running)["notifications-worker"]

    send(running, b"no event", early(running))
    goal = running.agree("clara", "maya", "Nothing holds this up")
    until(lambda: is_told(running, goal))
    # Not at rest: what came early is tried every second or so.
    until(lambda: worker(running, "notifications").since(before, "tandem_parked", state="early") == 1)
    parked = worker(running, "notifications")
    listed = running.command("notifications", "parked", "list").splitlines()
    running.command("notifications", "parked", "skip", *(line.split()[0] for line in listed))
    for state in ("left", "early"):
        until(lambda state=state: worker(running, "notifications")("tandem_parked", state=state) == 0)  # type: ignore[misc]

    for state, count in {"left": 1, "early": 1, "retrying": 0}.items():
        assert parked.since(before, "tandem_consumer_parked_total", state=state) == count
        assert parked.since(before, "tandem_parked", state=state) == count
    assert parked.since(before, "tandem_consumer_handled_total") == 2


def early(running: Platform) -> bytes:
    """A goal agreed by people of whom the practice has told nothing."""
    people = {name: new_id() for name in ("goal_id", "client_id", "clinician_id")}
    data = people | {"proposed_by": people["client_id"], "agreed_by": people["clinician_id"]}
    record = {"id": new_id(), "type": "goal.agreed", "time": now(), "sequence": 1, "data": data}
    return encode(record, service="goals", subject=people["goal_id"], practice_id=running.practice_id)


def send(running: Platform, *bodies: bytes) -> None:
    """Straight into the queue of notifications."""
    with linked(running.place.read()["servers"]["amqp_url"], "test") as connected:
        publisher = Publisher(connected, EXCHANGE)
        for number, body in enumerate(bodies):
            publisher.publish(("x", "x"), f"{number}", "x", body, only="notifications")
        publisher.settle()
        assert not publisher.collect().refused


@contextmanager
def link(running: Platform) -> Iterator[Any]:
    with linked(running.place.read()["servers"]["amqp_url"], "test") as connected:
        yield connected.channel()


@contextmanager
def full_queue(running: Platform) -> Iterator[None]:
    """One more that hears of feedback, and has no room."""
    limits = {"x-max-length": 1, "x-overflow": "reject-publish"}
    with link(running) as channel:
        channel.queue_declare(FULL, durable=True, auto_delete=False, arguments=limits)
        channel.basic_publish(Message(b"in the way"), "", FULL)
        channel.queue_bind(FULL, EXCHANGE, "feedback.given")
    try:
        yield
    finally:
        with link(running) as channel:
            channel.queue_delete(FULL)
