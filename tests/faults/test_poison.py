"""Poison of every kind, innocents beside it, and kills from outside, which are nobody's own doing."""

import json
import random
import threading
import time
from collections.abc import Collection as Some
from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest

from shared.clock import now
from shared.ids import new_id
from shared.messaging.envelope import encode
from tests.faults.judge import Row
from tests.faults.ledger import Ledger
from tests.faults.servers import Broker, Mongo
from tests.faults.toy.app import PRACTICE, SLEEP, Burnt, Drowned, Letter, Shelved, Torn, Written
from tests.faults.toy.running import Toy, Worker, eventually, prepared
from tests.faults.toy.writing import Writers, judge

INNOCENTS = 300
BESIDE_A_CRASH = 10.0
"""Seconds: two deaths with the pauses before each new start, until it is known who kills (seen: 4)."""
BESIDE_A_SLEEPER = SLEEP + 5.0
"""Seconds: handlers run one after the other, so what one consumer has waits for a slow one (seen: 30.1)."""
KILLS = 20


@pytest.fixture
def toy(mongo: Mongo, broker: Broker) -> Iterator[Toy]:
    with prepared(mongo.url, broker.url) as made:
        yield made


class Arrivals(threading.Thread):
    """When each effect was seen first."""

    def __init__(self, toy: Toy) -> None:
        super().__init__(daemon=True)
        self._toy, self._stopping = toy, threading.Event()
        self._began = time.monotonic()
        self.at: dict[str, float] = {}

    def run(self) -> None:
        while not self._stopping.wait(0.1):
            seen = time.monotonic()
            for entry in self._toy.entries():
                self.at.setdefault(entry, seen)

    def await_all(self, entries: list[str]) -> float:
        """Seconds until the last of them was there, since this watch or the last wait began."""
        began, wanted = self._began, set(entries)
        eventually(f"{len(wanted)} entries arrive", lambda: wanted <= self.at.keys(), 90.0)
        self._began = time.monotonic()
        return max(self.at[entry] for entry in wanted) - began

    def __enter__(self) -> "Arrivals":
        self.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self.join()


def write(toy: Toy, ledger: Ledger, of: type, entry: str) -> str:
    """Save a letter that says this; the letter's id."""
    ledger.attempted(entry)
    letter, _ = toy.letters.add(Letter(new_id()).say(of(entry)))
    ledger.acknowledged(entry)
    return str(letter.id)


def event(type: str = "letter.written", service: str = "toy", data: Any = None) -> bytes:
    data = {"entry": "forged"} if data is None else data
    record = {"id": new_id(), "type": type, "time": now(), "sequence": 1, "data": data}
    return encode(record, service=service, subject=new_id(), practice_id=PRACTICE)


def from_outside() -> dict[Any, str]:
    """Messages that no relay of ours sends, each with what is to be said of it."""
    return {
        b"{not json": "Undecodable: The message is not JSON.",
        b"\xff\xfe": "Undecodable: The message is not JSON.",
        event(data={"entry": {"what": "a person wrote"}}): "ValidationError: entry",
        event("letter.unheard_of"): "UnknownType: no handler of this service names the type.",
        event(service="practices"): "WrongSource: this source may not say this type.",
    }


IN_HANDLERS = {
    Torn: "ValueError in mend, line ",
    Drowned: "OSError in dry, line ",
    Burnt: "Crashed: the process died 3 times ",
}


def test_poison_of_every_kind_holds_up_nobody_and_can_be_retried_or_skipped(
    toy: Toy, ledger: Ledger, row: Row
) -> None:
    """All at once with innocents before the worker starts; only the sleeper comes after, with more of them.

    Seen to fail when every delivery counts as the first (`Inbox.is_repeat` false: the one that kills is never
    found), and when only ValueError of a handler is caught (OSError goes for the database's or broker's).
    """
    innocents = [f"innocent-{number}" for number in range(INNOCENTS)]
    queue = [*((Written, entry) for entry in innocents), *((kind, kind.type) for kind in IN_HANDLERS)]
    random.shuffle(queue)
    letters = {write(toy, ledger, kind, entry): kind for kind, entry in queue}
    outside = from_outside()
    toy.send(*outside)
    poison = outside | {id: IN_HANDLERS[kind] for id, kind in letters.items() if kind in IN_HANDLERS}
    toy.worker()
    eventually("the worker is at it", lambda: toy.entries() or toy.parked())

    with Arrivals(toy) as arrivals:
        eventually("all poison is parked", lambda: len(toy.parked()) == len(poison), 60.0)
        waited = arrivals.await_all(innocents)
        write(toy, ledger, Shelved, "shelved")
        late = [f"late-{number}" for number in range(50)]
        for entry in late:
            write(toy, ledger, Written, entry)
        waited_later = arrivals.await_all([*late, "shelved"])

    row.also.append(f"innocents within {waited:.1f} s, beside a sleeper {waited_later:.1f} s")
    assert waited <= BESIDE_A_CRASH
    assert waited_later <= BESIDE_A_SLEEPER
    assert_parked(toy, letters, poison)
    assert toy.database["crashes"].count_documents({}) == 0
    ours = {one["_id"]: one["state"] for one in toy.parked() if one["subject"] in letters}
    others = [one["_id"] for one in toy.parked() if one["_id"] not in ours]
    look(toy, [*ours, *others])
    skip(toy, others)
    mended = time.monotonic()
    toy.mended.touch()
    retry(toy, [id for id, state in ours.items() if state == "left"])
    # Tried again by themselves as well, and so perhaps gone by now.
    toy.command("parked", "retry", *ours)
    judge(toy, ledger, row, mended)


def assert_parked(toy: Toy, letters: Some[str], poison: dict[Any, str]) -> None:
    """Each with the beginning of its error, and nothing else."""
    found = {
        one["subject"] if one["subject"] in letters else bytes(one["raw"]): one["error"]
        for one in toy.parked()
    }
    assert found.keys() == poison.keys()
    assert [key for key, error in poison.items() if not found[key].startswith(error)] == []
    assert not any("person" in error for error in found.values())


def look(toy: Toy, ids: list[str]) -> None:
    listed = toy.command("parked", "list").stdout.splitlines()
    assert {line.split()[0] for line in listed} == set(ids)
    for id in (ids[0], ids[-1]):
        shown = json.loads(toy.command("parked", "show", id).stdout)
        assert (shown["_id"], bool(shown["error"])) == (id, True)


def skip(toy: Toy, ids: list[str]) -> None:
    assert toy.command("parked", "skip", *ids).stdout.count(" is skipped.") == len(ids)


def retry(toy: Toy, ids: list[str]) -> None:
    """Those that are not tried again by themselves."""
    assert toy.command("parked", "retry", *ids).stdout == f"{len(ids)} of {len(ids)} will be tried again.\n"


def test_kills_from_outside_park_nobody_and_lose_nobody(toy: Toy, ledger: Ledger, row: Row) -> None:
    """Of two consumers in turn, each in the midst of its work, and soon of what died with the other.

    Seen to fail when a batch is acked before it is handled (200 lost), and when one death is enough and none
    is taken back (`FATAL` 1, no acquittal: innocents are parked).
    """
    row.times = KILLS
    workers = [toy.worker(), toy.worker()]
    with Writers(toy, ledger):
        for number in range(KILLS):
            worker = workers[number % 2]
            eventually("it handles", partial(handles_more, worker, len(worker.said("Events handled"))))
            pile_up(toy, ledger, f"pile-{number}")
            time.sleep(random.uniform(0.0, 0.2))
            kill_consumer(worker)
        killed = time.monotonic()

    judge(toy, ledger, row, killed)
    assert [line for worker in workers for line in worker.said("Event parked")] == []
    assert toy.database["crashes"].count_documents({}) == 0


def handles_more(worker: Worker, than: int) -> bool:
    return worker.child("consumer") is not None and len(worker.said("Events handled")) > than


def pile_up(toy: Toy, ledger: Ledger, name: str) -> None:
    """More than a consumer has done at once: what is killed with it, the other one finds delivered again."""
    for letter in range(4):
        entries = [f"{name}-{letter}-{number}" for number in range(100)]
        for entry in entries:
            ledger.attempted(entry)
        toy.letters.add(Letter(new_id()).say(*map(Written, entries)))
        for entry in entries:
            ledger.acknowledged(entry)


def kill_consumer(worker: Worker) -> None:
    consumer = worker.child("consumer")
    assert consumer
    consumer.kill()
    eventually("it is dead", lambda: worker.child("consumer") != consumer)
