"""Kill -9 at each named point of the way from a save to its effects, twenty times each, under load.

The points are seen from outside, on the wire: a proxy withholds a frame and kills the process that sent
it or waits for it. All parts are killed at the same time, each at its own points in turn.
"""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from scripts.receiver import Received, receiver
from tests.faults.judge import Row, backlog, drain, inbox, parked, saves, unheard, webhooks
from tests.faults.ledger import Ledger, Verdict
from tests.faults.load import Load
from tests.faults.platform import Platform

TIMES = 20


@dataclass(frozen=True)
class Point:
    """Where on which line of a process the kill comes."""

    title: str
    part: str
    server: str
    word: str
    within: bytes = b""


POINTS = {
    "web": [
        Point("before a new one is saved", "goals-web", "mongo", "insert goals"),
        Point("after a new one is saved", "goals-web", "mongo", "answer to insert goals"),
        Point("before a change is saved", "goals-web", "mongo", "update goals"),
        Point("after a change is saved", "goals-web", "mongo", "answer to update goals"),
    ],
    "relay": [
        Point("after reading", "goals-worker", "mongo", "answer to find goals", b"outbox"),
        Point("after publishing", "goals-worker", "amqp", "confirm"),
        Point("after the confirm, before the removal", "goals-worker", "mongo", "update goals"),
        Point("after the removal", "goals-worker", "mongo", "answer to update goals"),
    ],
    "consumer": [
        Point("before the write", "notifications-worker", "mongo", "insert notifications"),
        Point("after the write", "notifications-worker", "mongo", "answer to insert notifications"),
        Point("before the ack", "notifications-worker", "amqp", "ack"),
    ],
    "sender": [
        Point("before the attempt is recorded", "partners-sender", "mongo", "update deliveries"),
        Point("after the attempt is recorded", "partners-sender", "mongo", "answer to update deliveries"),
    ],
    "mailer": [
        Point("before the letter is recorded", "practices-worker", "mongo", "update sign_ins"),
        Point("after the letter is recorded", "practices-worker", "mongo", "answer to update sign_ins"),
    ],
}


@dataclass
class Battered:
    """What came of it all."""

    kills: dict[str, int]
    verdicts: dict[str, Verdict]
    repeats: dict[str, int]
    drained: float
    left: dict[str, int]
    parked: int


@pytest.fixture(scope="module")
def battered(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Battered]:
    folder = tmp_path_factory.mktemp("points")
    load = Load(platform, "points", Ledger(folder / "saves"))
    asks = _Asks(platform, Ledger(folder / "letters"))
    with receiver() as (address, received):
        _tell_app(platform, address, received)
        with load, asks:
            kills = _kill_everywhere(platform)
            ended = time.monotonic()
        yield _judge(platform, load, asks, received, kills, ended)


def _tell_app(platform: Platform, address: str, received: Received) -> None:
    """An endpoint of an app that may hear of every goal that Maya agreed on."""
    people = platform.people
    about = {"url": f"{address}/tandem", "event_types": ["goal.agreed"]}
    received.secret = people.create("app", "partners", "/endpoints", about).body["secret"]
    people.grant(["goal.agreed"], ["goal.read"])
    people.consent("maya")


class _Asks:
    """New people who ask for a code to sign in, one a second."""

    def __init__(self, platform: Platform, ledger: Ledger) -> None:
        self.ledger = ledger
        self._people = platform.people
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> "_Asks":
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stopping.set()
        self._thread.join()

    def _work(self) -> None:
        number = 0
        while not self._stopping.wait(0.7):
            number += 1
            email = f"person-{number}@example.net"
            about = {
                "email": email,
                "display_name": "Somebody",
                "language": "en",
                "timezone": "UTC",
                "adult": True,
            }
            self._people.create("clara", "practices", "/clients", about)
            self.ledger.attempted(email)
            self._people.ask("clara", "POST", "practices", "/sign-in", body={"email": email}).expect(202)
            self.ledger.acknowledged(email)


def _kill_everywhere(platform: Platform) -> dict[str, int]:
    kills: dict[str, int] = {}

    def work(points: list[Point]) -> None:
        for point in points:
            for _ in range(TIMES):
                platform.kill_at((point.part, point.server), point.word, point.within, seconds=60.0)
                kills[point.title] = kills.get(point.title, 0) + 1

    threads = [threading.Thread(target=work, args=(points,)) for points in POINTS.values()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return kills


def _judge(
    platform: Platform, load: Load, asks: _Asks, received: Received, kills: dict[str, int], ended: float
) -> Battered:
    ledger, name = load.ledger, load.name

    def agreed(id: str) -> bool:
        return load.whose(id) == "maya" and id.endswith(" agreed")

    def told() -> Verdict:
        return ledger.judge(webhooks(platform, name, received), repeats=True, among=agreed)

    def mailed() -> Verdict:
        return asks.ledger.judge(_mailed(platform), repeats=True)

    left = {
        "inbox": lambda: unheard(platform, load),
        "webhooks": lambda: len(told().lost),
        "letters": lambda: len(mailed().lost),
    }
    drained, still = drain(ended, left | backlog(platform))
    verdicts = {
        "saves": ledger.judge(saves(platform, name)),
        "inbox": ledger.judge(inbox(platform, name)),
        "webhooks": told(),
        "letters": mailed(),
    }
    repeats = {"webhooks": len(received.verified), "letters": len(_mailed(platform))}
    return Battered(kills, verdicts, repeats, drained, still, parked(platform))


def _mailed(platform: Platform) -> list[str]:
    names = (file.name.partition("-")[2].removesuffix(".eml") for file in platform.place.mail.glob("*.eml"))
    return [name for name in names if name.endswith("@example.net")]


def _judged(row: Row, battered: Battered, part: str, layer: str) -> None:
    row.times = sum(battered.kills.get(point.title, 0) for point in POINTS[part])
    row.verdicts = {layer: battered.verdicts[layer]}
    row.drained, row.left, row.parked = battered.drained, battered.left, battered.parked
    assert {point.title: battered.kills.get(point.title, 0) for point in POINTS[part]} == {
        point.title: TIMES for point in POINTS[part]
    }
    row.holds()


def test_kill_9_before_and_after_the_save(row: Row, battered: Battered) -> None:
    _judged(row, battered, "web", "saves")


def test_kill_9_of_the_relay_after_reading_publishing_and_the_confirm(row: Row, battered: Battered) -> None:
    _judged(row, battered, "relay", "inbox")


def test_kill_9_of_the_consumer_before_and_after_the_write(row: Row, battered: Battered) -> None:
    _judged(row, battered, "consumer", "inbox")


def test_kill_9_before_and_after_an_attempt_is_recorded(row: Row, battered: Battered) -> None:
    _judged(row, battered, "sender", "webhooks")
    row.also.append(f"{battered.repeats['webhooks']} deliveries")


def test_kill_9_before_and_after_a_letter_is_recorded(row: Row, battered: Battered) -> None:
    _judged(row, battered, "mailer", "letters")
    row.also.append(f"{battered.repeats['letters']} letters")
