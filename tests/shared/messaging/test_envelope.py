from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.messaging.contracts import schema
from shared.messaging.envelope import Undecodable, decode, derived_id, encode
from tests.shared.messaging.rooms import GoalAgreed

RECORD = {
    "id": "0190-1",
    "type": "goal.agreed",
    "time": datetime(2026, 11, 20, 10, 0, 0, 123000, tzinfo=UTC),
    "sequence": 7,
    "data": {"goal_id": "g1"},
    "correlationid": "c1",
    "causationid": None,
    "traceparent": None,
}


def encoded(**changes: Any) -> bytes:
    return encode(RECORD | changes, service="goals", subject="g1", practice_id="p1")


def changed(**changes: Any) -> bytes:
    return orjson.dumps(orjson.loads(encoded()) | changes)


def test_what_is_encoded_is_decoded() -> None:
    event = decode(encoded())

    assert (event.id, event.type, event.source, event.subject) == (
        "0190-1",
        "goal.agreed",
        "/tandem/goals",
        "g1",
    )
    assert (event.practice_id, event.sequence, event.correlation_id) == ("p1", 7, "c1")
    assert event.time == RECORD["time"]
    assert event.data == {"goal_id": "g1"}


def test_the_message_keeps_to_its_contract() -> None:
    message = orjson.loads(encoded())

    Draft202012Validator(schema(GoalAgreed, "goals")).validate(message)


def test_attributes_without_a_value_are_left_out() -> None:
    assert "causationid" not in orjson.loads(encoded())


def test_sequences_sort_as_text() -> None:
    assert orjson.loads(encoded(sequence=9))["sequence"] < orjson.loads(encoded(sequence=10))["sequence"]


def test_the_same_record_gives_the_same_bytes() -> None:
    assert encoded() == encoded()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b"\xff",
        b'"text"',
        b"null",
        changed(specversion="0.3"),
        changed(id=""),
        changed(id=5),
        changed(id="x" * 600),
        changed(subject=None),
        changed(data=[]),
        changed(data=None),
        changed(practiceid={"$ne": 1}),
        changed(sequence="-1"),
        changed(sequence="0"),
        changed(sequence="²"),
        changed(sequence="9" * 20),
        changed(sequence=1),
        changed(time="yesterday"),
        changed(time="2026-11-20T10:00:00"),
        changed(correlationid=1),
    ],
)
def test_what_is_no_event_is_refused(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(raw)


@given(
    st.binary(max_size=200)
    | st.dictionaries(st.sampled_from([*orjson.loads(encoded())]), st.text()).map(orjson.dumps)
)
def test_nothing_but_undecodable_is_raised(raw: bytes) -> None:
    with pytest.raises(Undecodable):
        decode(raw)


def test_derived_ids_differ_by_handler_purpose_and_index_and_by_nothing_else() -> None:
    event = decode(encoded())

    assert derived_id(event, "inbox") == derived_id(decode(encoded()), "inbox")
    assert len({derived_id(event, "inbox"), derived_id(event, "mail"), derived_id(event, "inbox", 1)}) == 3
