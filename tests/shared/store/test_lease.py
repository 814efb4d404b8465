"""One holder at a time; a dead holder's lease is taken over; a late one knows that it lost it."""

import threading
import time
from datetime import timedelta
from typing import Any, cast

from shared.store.changes import Wakeup
from shared.store.client import StoreUnavailable
from shared.store.lease import Lease


def until(condition: Any, seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        threading.Event().wait(0.01)
    return False


def test_of_many_that_ask_at_once_one_holds_it(database: Any) -> None:
    leases = [Lease(database["leases"], "relay") for _ in range(12)]
    threads = [threading.Thread(target=lease.hold) for lease in leases]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [lease.held for lease in leases].count(True) == 1


def test_whoever_holds_it_keeps_it_by_asking_again(database: Any) -> None:
    mine, other = (Lease(database["leases"], "relay", timedelta(seconds=0.4)) for _ in range(2))
    mine.hold()

    deadline = time.monotonic() + 1.2
    while time.monotonic() < deadline:
        assert mine.hold()
        assert not other.hold()


def test_a_holder_that_does_not_ask_again_loses_it_and_knows(database: Any) -> None:
    dead, other = (Lease(database["leases"], "relay", timedelta(seconds=0.3)) for _ in range(2))
    dead.hold()

    assert until(other.hold)
    assert not dead.held
    assert not dead.hold()


def test_a_released_lease_is_free_at_once(database: Any) -> None:
    mine, other = (Lease(database["leases"], "relay") for _ in range(2))
    mine.hold()

    mine.release()

    assert not mine.held
    assert other.hold()


def test_a_write_wakes_whoever_waits_and_another_collection_does_not(database: Any) -> None:
    database.create_collection("seen")
    database.create_collection("unseen")
    wakeup = Wakeup(database, ["seen"])
    wakeup.start()
    try:
        assert until(lambda: database["seen"].insert_one({}) and wakeup.wait(0.2))
        while wakeup.wait(0.3):
            pass
        database["unseen"].insert_one({})
        assert not wakeup.wait(0.5)
        started = time.monotonic()
        database["seen"].update_one({}, {"$set": {"due": 1}})
        assert wakeup.wait(2)
        assert time.monotonic() - started < 0.5
    finally:
        wakeup.stop()


def streams(database: Any) -> int:
    """How many change streams are open on the database."""
    found = database.client.admin.aggregate(
        [
            {"$currentOp": {"idleCursors": True, "allUsers": True}},
            {"$match": {"cursor.originatingCommand.pipeline.0.$changeStream": {"$exists": True}}},
            {"$match": {"ns": {"$regex": f"^{database.name}\\."}}},
        ]
    )
    return len({operation["cursor"]["cursorId"] for operation in found})


def test_nothing_is_followed_for_whoever_is_busy_and_nothing_missed_when_it_waits_again(
    database: Any,
) -> None:
    database.create_collection("seen")
    wakeup = Wakeup(database, ["seen"])
    wakeup.start()
    try:
        assert until(lambda: wakeup.wait(0.2) and streams(database) == 1)
        assert until(lambda: streams(database) == 0)
        database["seen"].insert_one({})
        assert wakeup.wait(2)
        assert until(lambda: not wakeup.wait(0.2))
        database["seen"].insert_one({})
        assert wakeup.wait(0.5)
    finally:
        wakeup.stop()


def test_what_follows_a_process_that_is_surely_dead_need_not_wait(database: Any) -> None:
    dead, successor, other = (Lease(database["leases"], "relay", me=me) for me in ("w1", "w1", "w2"))
    dead.hold()

    assert not other.hold()
    assert successor.hold()


def test_it_is_renewed_as_long_as_a_block_lasts(database: Any) -> None:
    mine, other = (Lease(database["leases"], "relay", timedelta(seconds=0.8)) for _ in range(2))
    mine.hold()

    with mine.renewed():
        assert not until(other.hold, 1.6)
        assert mine.held

    assert until(other.hold)


def test_renewing_does_not_take_again_what_was_lost(database: Any) -> None:
    mine = Lease(database["leases"], "relay", timedelta(seconds=0.4))
    mine.hold()

    with mine.renewed():
        database["leases"].update_one({}, {"$set": {"owner": "another"}})
        assert until(lambda: not mine.held)
        database["leases"].delete_many({})
        assert not until(lambda: mine.held, 0.5)


class Flaky:
    """A collection whose server leaves the next `failures` calls without an answer."""

    def __init__(self, collection: Any, failures: int) -> None:
        self._collection, self.failures = collection, failures

    def __getattr__(self, name: str) -> Any:
        return self._fail if self.failures else getattr(self._collection, name)

    def _fail(self, *_: Any, **__: Any) -> None:
        self.failures -= 1
        raise StoreUnavailable


def test_renewing_outlives_a_store_that_is_away_for_a_moment(database: Any) -> None:
    leases = Flaky(database["leases"], failures=0)
    mine = Lease(cast(Any, leases), "relay", timedelta(seconds=1.2))
    other = Lease(database["leases"], "relay")
    mine.hold()

    leases.failures = 1
    with mine.renewed():
        assert not until(other.hold, 2.0)

    assert leases.failures == 0


def test_what_cannot_be_released_is_left_to_expire(database: Any) -> None:
    mine = Lease(cast(Any, Flaky(database["leases"], failures=1)), "relay")

    mine.release()

    assert not mine.held
