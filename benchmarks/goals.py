"""Goals to measure with: real ones, made by the domain and written as the store writes them."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from pymongo.collection import Collection

from services.goals.domain import Goal, GoalNotFound
from services.goals.store import Goals
from shared.clock import now
from shared.ids import derived_from, new_id
from shared.store.aggregates import Aggregates
from shared.store.client import Document
from shared.store.codec import to_document

_AT_ONCE = 5_000
WHAT = "Take the bus to town twice a week, at first with somebody and then alone"
WHY = "To see my sister again without asking anybody for a lift"


class PlainGoals(Goals):
    """Their store without its lock, which has figures of its own (lock.py)."""

    def __init__(self, database: Any) -> None:
        Aggregates.__init__(self, database["goals"], Goal, GoalNotFound)


def practice(number: int) -> str:
    return f"practice-{number}"


def client(practice_id: str, number: int) -> str:
    return f"{practice_id}-client-{number}"


def clinician(practice_id: str) -> str:
    return f"{practice_id}-clinician"


def quiet(count: int, practices: int = 1, goals_a_client: int = 20) -> Iterator[Document]:
    """Goals that have been told of, in random order of id, spread evenly over the practices."""
    stored = _stored(proposed(practice(1), client(practice(1), 1)))
    salt = new_id()
    for number in range(count):
        practice_id = practice(number % practices + 1)
        client_id = client(practice_id, number // practices // goals_a_client + 1)
        yield stored | {
            "_id": derived_from(salt, str(number)),
            "practice_id": practice_id,
            "client_id": client_id,
            "clinician_id": clinician(practice_id),
            "proposed_by": client_id,
        }


def proposed(practice_id: str, client_id: str) -> Goal:
    return Goal.propose(new_id(), practice_id, client_id, clinician(practice_id), client_id, now(), WHAT, WHY)


def insert(collection: Collection[Document], documents: Iterator[Document]) -> None:
    while batch := list(islice(documents, _AT_ONCE)):
        collection.insert_many(batch, ordered=False)


def _stored(goal: Goal) -> Document:
    """As `Aggregates.add` writes it, once its events are told."""
    state = to_document(goal)
    for name in ("id", "events"):
        del state[name]
    return state | {"version": 1, "eseq": 1, "outbox": []}
