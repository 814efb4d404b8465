"""Kill -9 at each named point of the way from a save to its effects, twenty times each, under load.

The points are seen from outside, on the wire: a proxy withholds a frame and kills the process that sent
it or waits for it. Parts that hide nothing of each other are killed at the same time, each at its own
points in turn.
"""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email import message_from_bytes
from pathlib import Path

import pytest

from scripts.receiver import Received, receiver
from tests.faults.judge import Row, backlog, drain, inbox, saves, unheard, webhooks
from tests.faults.ledger import Ledger, Verdict
from tests.faults.load import Load
from tests.faults.platform import Platform
from tests.journeys.people import until

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
        Point("before the letter is recorded", "practices-worker", "mongo", "update codes", b"].sealed"),
        Point("after the letter is recorded", "practices-worker", "mongo", "answer to update codes"),
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
    parked: list[str]


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
                "invite": True,
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
                if points is POINTS["mailer"]:
                    # What the dead one left half done is not to be what the next one is killed at.
                    letters = len(_mailed(platform))
                    until(lambda letters=letters: len(_mailed(platform)) > letters, 30.0)

    # Not all at once: what a killed relay tells again hides what a consumer has lost.
    for together in (("web", "consumer", "mailer"), ("relay", "sender")):
        with ThreadPoolExecutor() as pool:
            list(pool.map(work, (POINTS[part] for part in together)))
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
    _recognisable(platform, received)
    repeats = {"webhooks": len(received.verified), "letters": len(_letters(platform))}
    blamed = [line["error"] for line in platform.blamed(load.began)]
    return Battered(kills, verdicts, repeats, drained, still, blamed)


def _recognisable(platform: Platform, received: Received) -> None:
    """A repeat has the id of the first, be it a webhook or a letter."""
    events = [json.loads(body) for body in received.verified]
    ids = {(event["subject"], event["type"], event["id"]) for event in events}
    assert not received.refused
    assert len(ids) == len({one[:2] for one in ids})
    letters = {(to, message_from_bytes(file.read_bytes())["Message-ID"]) for to, file in _letters(platform)}
    assert len(letters) == len({to for to, _ in letters})


def _mailed(platform: Platform) -> set[str]:
    return {to for to, _ in _letters(platform)}


def _letters(platform: Platform) -> list[tuple[str, Path]]:
    """Each letter with a code to those who asked here: to whom, and its file; invitations came before."""
    files = platform.place.mail.glob("*.eml")
    letters = [(file.name.partition("-")[2].removesuffix(".eml"), file) for file in files]
    asked = [(to, file) for to, file in letters if to.endswith("@example.net")]
    return [(to, file) for to, file in asked if b"Subject: Your code" in file.read_bytes()]


def _judged(row: Row, battered: Battered, part: str, layer: str) -> None:
    row.times = sum(battered.kills.get(point.title, 0) for point in POINTS[part])
    row.verdicts = {layer: battered.verdicts[layer]}
    row.drained, row.left = battered.drained, battered.left
    assert {point.title: battered.kills.get(point.title, 0) for point in POINTS[part]} == {
        point.title: TIMES for point in POINTS[part]
    }
    row.holds()


def test_kill_9_before_and_after_the_save(row: Row, battered: Battered) -> None:
    """Seen to fail when the id of what is made does not follow from the Idempotency-Key: 11 duplicated."""
    _judged(row, battered, "web", "saves")


def test_kill_9_of_the_relay_after_reading_publishing_and_the_confirm(row: Row, battered: Battered) -> None:
    """Seen to fail when what was read is removed before it is published: 1,609 lost."""
    _judged(row, battered, "relay", "inbox")


def test_kill_9_of_the_consumer_before_and_after_the_write(row: Row, battered: Battered) -> None:
    """Seen to fail when a batch is acked before it is written: 245 lost.

    A message that dies with its consumer more than 20 times is parked by the broker's delivery limit, and
    handled from there within a second or two.
    """
    _judged(row, battered, "consumer", "inbox")
    row.also.append(f"{len(battered.parked)} parked meanwhile, after more than 20 deaths")
    assert {error.split(":")[0] for error in battered.parked} <= {"DeliveryLimit"}


def test_kill_9_before_and_after_an_attempt_is_recorded(row: Row, battered: Battered) -> None:
    """Seen to fail when the attempt is recorded before it is made: 17 lost."""
    _judged(row, battered, "sender", "webhooks")
    row.also.append(f"{battered.repeats['webhooks']} deliveries")


def test_kill_9_before_and_after_a_letter_is_recorded(row: Row, battered: Battered) -> None:
    """Seen to fail when the letter is recorded before it is sent: 1 lost."""
    _judged(row, battered, "mailer", "letters")
    row.also.append(f"{battered.repeats['letters']} letters")
