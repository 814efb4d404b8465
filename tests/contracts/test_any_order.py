"""Promise 3, for every handler of every service there is: any order, any repeats, the same end state.

The events are made from the contracts, so that a handler registered tomorrow is covered without edits.
"""

import random
import re
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scripts.contracts import contracts, sample, services
from shared.messaging.handling import Handling, Work
from shared.store.indexes import prepare
from tests import hearing

CONTRACTS = contracts()
HEARING = [one for one in services() if one.subscriber.types]
PEOPLE = {"client_id": "client", "member_id": "member", "clinician_id": "member"}
_TIME = re.compile(r"\d{4}-\d\d-\d\d")
PEOPLE |= {"proposed_by": "client", "agreed_by": "member", "declined_by": "client"}
PEOPLE |= {"enrolled_by": "member"}


def events(types: list[str]) -> Iterator[bytes]:
    """Three events of each type about two sets of people, each with a sequence and values of its own."""
    for sequence, (type, number) in enumerate(((t, n) for n in range(3) for t in types), start=1):
        contract = CONTRACTS[type]
        data = {
            name: _value(name, value, number, sequence) for name, value in sample(contract)["data"].items()
        }
        yield hearing.message(
            type, contract["x-source"], data, practice_id="p", sequence=sequence, id=f"event-{sequence}"
        )


def _value(name: str, value: Any, number: int, sequence: int) -> Any:
    if name in PEOPLE:
        return f"{PEOPLE[name]}-{number % 2}"
    if name.endswith("_id"):
        return f"{name}-{number % 2}"
    if isinstance(value, list):
        return [f"{name}-{sequence}"]
    if isinstance(value, dict):
        return {key: _value(name, inner, number, sequence) for key, inner in value.items()}
    # A time must stay one; every other text differs by event, so that the last writer shows.
    return value if not isinstance(value, str) or _TIME.match(value) else f"{name}-{sequence}"


def end_state(service: Any, database: Any, order: list[bytes]) -> bytes:
    """Handle them in this order, one after the other, then what had to wait; what is stored at the end."""
    written = [one.name for one in service.collections if one.kind in ("records", "created")]
    for name in written:
        database[name].delete_many({})
    handling = Handling(service.subscriber, database, service.collections)
    waiting = [Work(raw) for raw in order]
    while waiting:
        for work in waiting:
            handling.run([work])
            assert work.error is None, work.error
        still = [Work(work.raw) for work in waiting if work.waits_for]
        assert len(still) < len(waiting), "nothing that waits can ever be handled"
        waiting = still
    stored = {name: list(database[name].find({}).sort("_id", 1)) for name in written}
    return orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)


@pytest.mark.parametrize("service", HEARING, ids=lambda one: one.name)
def test_any_order_with_any_repeats_gives_the_same_state(service: Any, database: Any) -> None:
    prepare(database, service.collections)
    said = list(events(service.subscriber.types))
    usual = end_state(service, database, said)
    assert len(usual) > 1_000

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.randoms(use_true_random=False))
    def shuffled(chance: random.Random) -> None:
        order = said + chance.choices(said, k=chance.randrange(len(said)))
        chance.shuffle(order)
        assert end_state(service, database, order) == usual

    shuffled()


PAIRS = [
    (one, found.type, first)
    for one in HEARING
    for found in one.subscriber.registrations
    if found.after
    for first in ("client.enrolled", "member.joined")
]


@pytest.mark.parametrize(("service", "type", "first"), PAIRS, ids=lambda one: getattr(one, "name", one))
def test_what_comes_before_what_it_depends_on_waits_and_has_the_same_effect(
    service: Any, type: str, first: str, database: Any
) -> None:
    prepare(database, service.collections)
    said = list(events(sorted({type, "client.enrolled", "member.joined"})))
    early = [raw for raw in said if f'"type":"{type}"'.encode() in raw]
    late = [raw for raw in said if f'"type":"{first}"'.encode() in raw]
    others = [raw for raw in said if raw not in early and raw not in late]

    assert end_state(service, database, [*early, *others, *late]) == end_state(service, database, said)

    for collection in ("people", "notifications"):
        database[collection].delete_many({})
    waiting = [work for work in hearing.hear(service, database, *others, *early) if work.waits_for]
    assert len(waiting) == len(early)
