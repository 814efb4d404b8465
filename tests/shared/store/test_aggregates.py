"""An event is recorded if and only if the change that caused it is committed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from shared.clock import now
from shared.correlation import correlated
from shared.ids import new_id
from shared.store.aggregates import OUTBOX_LIMIT, KeyReused, OutboxFull, StaleVersion
from shared.store.indexes import prepare
from tests.shared.store.things import COLLECTIONS, Colour, Part, ThingNotFound, thing, things


@pytest.fixture
def collection(database: Any) -> Any:
    prepare(database, COLLECTIONS)
    return database["things"]


def test_what_was_added_is_read_back_whole(collection: Any) -> None:
    made = thing(now(), on=date(2026, 11, 20), parts=[Part("leg", 3)], tags={"b", "a"}, colour=Colour.BLUE)

    things(collection).add(made)

    assert things(collection).get("p", made.id) == made
    assert made.version == 1


def test_a_save_and_its_event_are_one_write(collection: Any) -> None:
    made, _ = things(collection).add(thing(now()))
    made.paint(Colour.BLUE)

    with correlated("c-1", "e-1"):
        things(collection).save(made)

    stored = collection.find_one({"_id": made.id})
    assert (stored["colour"], stored["version"], stored["eseq"]) == ("blue", 2, 1)
    [record] = stored["outbox"]
    assert (record["type"], record["sequence"]) == ("thing.painted", 1)
    assert record["data"] == {"thing_id": made.id, "colour": "blue"}
    assert (record["correlationid"], record["causationid"]) == ("c-1", "e-1")
    assert stored["due"] <= now()
    assert made.events == []


def test_sequences_are_contiguous_over_saves(collection: Any) -> None:
    store = things(collection)
    made, _ = store.add(thing(now()))

    for colour in (Colour.BLUE, Colour.RED, Colour.BLUE):
        made.paint(colour)
        made.paint(colour)
        store.save(made)

    stored = collection.find_one({"_id": made.id})
    assert [record["sequence"] for record in stored["outbox"]] == [1, 2, 3, 4, 5, 6]


def test_of_many_writers_of_one_version_one_wins_and_no_event_of_the_others_is_recorded(
    collection: Any,
) -> None:
    made, _ = things(collection).add(thing(now()))

    def write(_: int) -> bool:
        mine = things(collection).get("p", made.id)
        mine.version = 1
        vars(mine)["_before"]["eseq"] = 0
        mine.paint(Colour.BLUE)
        try:
            things(collection).save(mine)
        except StaleVersion:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(write, range(24)))

    stored = collection.find_one({"_id": made.id})
    assert won.count(True) == 1
    assert len(stored["outbox"]) == 1
    assert stored["version"] == 2


def test_a_save_that_changes_nothing_writes_nothing(collection: Any) -> None:
    made, _ = things(collection).add(thing(now()))

    things(collection).save(made)

    assert collection.find_one({"_id": made.id})["version"] == 1


def test_a_save_keeps_events_that_still_wait(collection: Any) -> None:
    store = things(collection)
    made, _ = store.add(thing(now()))
    made.paint(Colour.BLUE)
    store.save(made)

    again = store.get("p", made.id)
    again.tags = {"x"}
    store.save(again)

    assert len(collection.find_one({"_id": made.id})["outbox"]) == 1


def test_what_a_newer_release_wrote_survives_a_save_by_this_one(collection: Any) -> None:
    made, _ = things(collection).add(thing(now()))
    collection.update_one({"_id": made.id}, {"$set": {"shape": "round"}})
    found = things(collection).find("p", made.id)
    assert found is not None

    found.tags = {"x"}
    things(collection).save(found)

    assert collection.find_one({"_id": made.id})["shape"] == "round"


def test_another_practice_finds_nothing_and_saves_nothing(collection: Any) -> None:
    store = things(collection)
    made, _ = store.add(thing(now()))

    assert store.find("other", made.id) is None
    with pytest.raises(ThingNotFound):
        store.get("other", made.id)
    made.practice_id = "other"
    made.paint(Colour.BLUE)
    with pytest.raises(StaleVersion):
        store.save(made)


def test_an_aggregate_with_a_full_outbox_refuses_further_commands(collection: Any) -> None:
    store = things(collection)
    made, _ = store.add(thing(now()))
    made.events = [event for _ in range(OUTBOX_LIMIT) for event in painted(made.id)]
    store.save(made)

    for full in (made, store.get(made.practice_id, made.id)):
        full.paint(Colour.BLUE)
        with pytest.raises(OutboxFull):
            store.save(full)


def painted(id: str) -> list[Any]:
    other = thing(now())
    other.id = id
    other.paint(Colour.RED)
    return other.events


def test_the_same_request_finds_what_it_made_and_another_body_is_refused(collection: Any) -> None:
    store = things(collection)
    made, new = store.add(thing(now()), "print-1")
    made.paint(Colour.BLUE)
    store.save(made)
    repeat = thing(now())
    repeat.id = made.id

    found, again = store.add(repeat, "print-1")

    assert (new, again) == (True, False)
    assert (found.colour, found.version) == (Colour.BLUE, 2)
    with pytest.raises(KeyReused):
        store.add(repeat, "print-2")


def test_of_many_same_requests_at_once_one_makes_it(collection: Any) -> None:
    id = new_id()

    def request(_: int) -> bool:
        mine = thing(now())
        mine.id = id
        mine.paint(Colour.BLUE)
        return things(collection).add(mine, "print")[1]

    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(request, range(16)))

    assert made.count(True) == 1
    assert len(collection.find_one({"_id": id})["outbox"]) == 1


def test_a_list_is_paged_by_its_order_without_gaps_or_repeats(collection: Any) -> None:
    store = things(collection)
    at = now()
    for _ in range(7):
        store.add(thing(at))
    store.add(thing(at, practice_id="other"))

    seen: list[str] = []
    while page := store.list("p", {}, 3, seen[-1] if seen else None, order="-at"):
        seen += [one.id for one in page]

    assert len(seen) == len(set(seen)) == 7
    assert seen == sorted(seen, reverse=True)


def test_a_list_goes_on_where_the_last_one_seen_is_no_longer_in_it(collection: Any) -> None:
    store = things(collection)
    made = [store.add(thing(now()))[0] for _ in range(3)]
    red = {"colour": Colour.RED}
    (seen,) = store.list("p", red, 1)

    seen.paint(Colour.BLUE)
    store.save(seen)

    assert [one.id for one in store.list("p", red, 3, seen.id)] == sorted(one.id for one in made)[1:]


def test_in_another_order_than_that_of_ids_another_practices_id_is_no_place(collection: Any) -> None:
    store = things(collection)
    store.add(thing(now()))
    foreign = store.add(thing(now(), practice_id="other"))[0]

    assert store.list("p", {}, 3, foreign.id, order="-at") == []
