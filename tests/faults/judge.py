"""The judgement of a fault: saves and effects against the ledger, the time to drain, and nobody parked."""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from scripts.parts import services
from scripts.receiver import Received
from tests.faults.ledger import Verdict
from tests.faults.load import Load
from tests.faults.platform import Platform

DRAINED_WITHIN = 60.0


@dataclass
class Row:
    """One line of the table."""

    fault: str
    times: int = 1
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    drained: float = 0.0
    left: dict[str, int] = field(default_factory=dict)
    """Of the backlog, where it did not drain in time."""
    parked: int = 0
    """Whom a failure was blamed on meanwhile, whether or not they are parked still."""
    also: list[str] = field(default_factory=list)

    def told(self) -> dict[str, Any]:
        found = self.verdicts.values()
        return {
            "fault": self.fault,
            "times": self.times,
            "attempted": max((one.attempted for one in found), default=0),
            "acknowledged": max((one.acknowledged for one in found), default=0),
            "lost": sum(len(one.lost) for one in found),
            "unexpected": sum(len(one.unexpected) for one in found),
            "duplicated": sum(len(one.duplicated) for one in found),
            "parked": self.parked,
            "drained in": f"{self.drained:.1f} s",
            "judged by": ", ".join([*self.verdicts, *self.also]),
        }

    def holds(self) -> None:
        """Fail unless nothing is lost, nothing unexpected, nothing there twice, nobody parked."""
        wrong = {name: str(verdict) for name, verdict in self.verdicts.items() if not verdict.holds}
        assert not wrong, wrong
        assert self.parked == 0, f"{self.parked} parked"
        assert self.drained <= DRAINED_WITHIN, f"not drained within {DRAINED_WITHIN:.0f} s: {self.left}"


def judge(platform: Platform, load: Load, row: Row, ended: float | None = None) -> None:
    """Stop the load, wait for the backlog to drain since the fault's end, and fail unless all is well."""
    ended = ended or time.monotonic()
    load.stop()
    row.drained, row.left = drain(ended, {"effects": lambda: unheard(platform, load)} | backlog(platform))
    row.verdicts = {
        "saves": load.ledger.judge(saves(platform, load.name)),
        "inbox": load.ledger.judge(inbox(platform, load.name)),
    }
    row.parked = len(platform.blamed(load.began))
    row.also += [f"{load.a_second():.0f} saves/s", *_unanswered(load)]
    row.holds()


def drain(ended: float, counts: Mapping[str, Callable[[], int]]) -> tuple[float, dict[str, int]]:
    """Wait until nothing is left, a minute at most: the seconds since the fault's end, and what is left."""
    while True:
        left = {name: count for name, counted in counts.items() if (count := counted())}
        seconds = time.monotonic() - ended
        if not left or seconds > DRAINED_WITHIN:
            return seconds, left
        time.sleep(0.2)


def backlog(platform: Platform) -> dict[str, Callable[[], int]]:
    """What waits in outboxes, in queues and in `parked`."""
    goals = platform.database("goals")["goals"]
    return {
        "outbox": lambda: int(goals.count_documents({"due": {"$exists": True}})),
        "queues": platform.waiting,
        "parked": lambda: parked(platform),
    }


def unheard(platform: Platform, load: Load) -> int:
    return load.ledger.open(inbox(platform, load.name))


def saves(platform: Platform, name: str) -> list[str]:
    """What the ledger's ids came to in goals."""
    whats = platform.whats()
    found = platform.database("goals")["goals"].find({"_id": {"$in": list(whats)}}, {"status": 1})
    said = [(whats[goal["_id"]], goal["status"] == "agreed") for goal in found]
    return [id for what, agreed in said if what.startswith(f"{name}-") for id in _ids(what, agreed)]


def _ids(what: str, agreed: bool) -> list[str]:
    return [what, f"{what} agreed"] if agreed else [what]


def inbox(platform: Platform, name: str) -> list[str]:
    """What notifications tells of it: each id as often as it is told."""
    told = platform.database("notifications")["notifications"].find({}, {"about_id": 1, "kind": 1})
    return _named(platform, name, ((one["about_id"], one["kind"]) for one in told))


def webhooks(platform: Platform, name: str, received: Received) -> list[str]:
    """What came to the app's receiver."""
    events = [json.loads(body) for body in received.verified]
    return _named(platform, name, ((event["subject"], event["type"]) for event in events))


_KINDS = {"goal.proposed": "{}", "goal.agreed": "{} agreed"}


def _named(platform: Platform, name: str, told: Any) -> list[str]:
    goals = platform.whats()
    found = [_KINDS[kind].format(goals.get(id, f"{name}-unknown")) for id, kind in told if kind in _KINDS]
    return [id for id in found if id.startswith(f"{name}-")]


def parked(platform: Platform) -> int:
    return sum(platform.database(service)["parked"].count_documents({}) for service in services())


def _unanswered(load: Load) -> list[str]:
    others = {status: count for status, count in load.answers.items() if status not in (200, 201)}
    return [f"answers besides success {others}"] if others else []
