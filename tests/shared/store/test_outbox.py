"""What waits is found oldest first; what was told is removed, and nothing else."""

from datetime import timedelta
from typing import Any

import pytest

from shared.clock import now
from shared.store.indexes import prepare
from shared.store.outbox import BATCH_OF_ONE, oldest, pending, settle, waiting
from tests.shared.store.things import COLLECTIONS, Colour, Thing, thing, things


@pytest.fixture
def collection(database: Any) -> Any:
    prepare(database, COLLECTIONS)
    return database["things"]


def said(collection: Any, times: int = 1) -> Thing:
    made = thing(now())
    for _ in range(times):
        made.paint(Colour.BLUE)
    things(collection).add(made)
    return made


def test_only_what_is_due_is_pending_longest_waiting_first(collection: Any) -> None:
    first, second, later = said(collection), said(collection), said(collection)
    collection.update_one({"_id": first.id}, {"$set": {"due": now() - timedelta(seconds=5)}})
    collection.update_one({"_id": later.id}, {"$set": {"due": now() + timedelta(minutes=1)}})
    things(collection).add(thing(now()))

    found = [*pending(collection, now())]

    assert [one.id for one in found] == [first.id, second.id]


def test_at_most_a_hundred_events_of_one_aggregate_are_taken_at_once(collection: Any) -> None:
    said(collection, BATCH_OF_ONE + 20)

    [found] = pending(collection, now())

    assert [event["sequence"] for event in found.events] == list(range(1, BATCH_OF_ONE + 1))


def test_an_event_pushed_meanwhile_stays_and_so_does_due(collection: Any) -> None:
    made = said(collection)
    [found] = pending(collection, now())
    made.paint(Colour.RED)
    things(collection).save(made)

    settle(collection, {found.key: [event["id"] for event in found.events]}, {})

    [left] = pending(collection, now())
    assert [event["sequence"] for event in left.events] == [2]


def test_a_document_with_nothing_left_to_say_is_no_longer_due(collection: Any) -> None:
    said(collection)
    [found] = pending(collection, now())

    settle(collection, {found.key: [event["id"] for event in found.events]}, {})

    stored = collection.find_one({"_id": found.id})
    assert stored["outbox"] == []
    assert "due" not in stored


def test_what_was_refused_is_put_off_and_what_was_confirmed_beside_it_is_gone(collection: Any) -> None:
    said(collection, 2)
    [found] = pending(collection, now())
    later = now() + timedelta(seconds=30)

    settle(collection, {found.key: [found.events[0]["id"]]}, {found.key: later})

    assert [*pending(collection, now())] == []
    [left] = pending(collection, later)
    assert [event["sequence"] for event in left.events] == [2]


def test_settling_for_another_practice_changes_nothing(collection: Any) -> None:
    said(collection)
    [found] = pending(collection, now())

    settle(collection, {(found.id, "other"): [found.events[0]["id"]]}, {})

    assert len([*pending(collection, now())]) == 1


def test_figures_count_what_waits_and_since_when_though_it_was_put_off(collection: Any) -> None:
    assert (waiting([collection]), oldest([collection])) == (0, 0.0)
    made, _ = said(collection, times=2), said(collection)
    key = (made.id, made.practice_id)
    a_minute_ago = now() - timedelta(minutes=1)
    collection.update_one({"_id": made.id}, {"$set": {"outbox.0.time": a_minute_ago, "due": a_minute_ago}})
    first = collection.find_one({"_id": made.id})["outbox"][0]["id"]

    settle(collection, {}, {key: now() + timedelta(seconds=10)})
    refused = waiting([collection]), oldest([collection])
    settle(collection, {key: [first]}, {})
    confirmed = waiting([collection]), oldest([collection])

    assert refused[0] == confirmed[0] == 2
    assert 60 <= refused[1] < 90
    assert 0 <= confirmed[1] < 30


def test_finding_what_waits_uses_the_partial_index(collection: Any) -> None:
    plan = collection.find({"due": {"$exists": True, "$lte": now()}}).sort("due", 1).explain()

    assert "'indexName': 'due_1'" in str(plan["queryPlanner"]["winningPlan"])
