"""An event on the wire: CloudEvents 1.0, structured JSON (application/cloudevents+json).

What travels is what https://github.com/cloudevents/spec/blob/v1.0.2 allows: extension names in lower
case, no attribute with a null value, `sequence` padded so that text sorts as numbers do.
"""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from shared.ids import derived_from

CONTENT_TYPE = "application/cloudevents+json"
SNAPSHOT = ".snapshot"
"""How the types end that tell an aggregate's present state again, which only projections handle."""
_EXTENSIONS = ("correlationid", "causationid", "traceparent")
_LONGEST_ATTRIBUTE = 512
_HIGHEST_SEQUENCE = 2**63 - 1


class Undecodable(Exception):
    """The message is not an event of Tandem."""


@dataclass(frozen=True, slots=True)
class Event:
    id: str
    type: str
    source: str
    subject: str
    time: datetime
    practice_id: str
    sequence: int
    correlation_id: str | None
    causation_id: str | None
    traceparent: str | None
    data: dict[str, Any] = field(repr=False)
    scope: str = ""
    """ "<service>.<handler>" while that handler runs, so that two handlers derive different ids."""


def source_of(service: str) -> str:
    return f"/tandem/{service}"


def service_of(source: str) -> str:
    return source.removeprefix(source_of(""))


def dataschema_of(type: str) -> str:
    return f"urn:tandem:contract:{type}"


def digest(raw: bytes) -> str:
    """What a message is known by where its own id cannot be read or believed."""
    return hashlib.sha256(raw).hexdigest()


def derived_id(event: Event, purpose: str, index: int = 0) -> str:
    """The same for the same event, handler, purpose and index, however often it is handled."""
    return derived_from(event.scope, event.id, purpose, str(index))


def encode(record: dict[str, Any], *, service: str, subject: str, practice_id: str) -> bytes:
    """The message for one outbox record of one aggregate; the same record gives the same bytes."""
    envelope = {
        "specversion": "1.0",
        "id": record["id"],
        "type": record["type"],
        "source": source_of(service),
        "subject": subject,
        "time": record["time"],
        "datacontenttype": "application/json",
        "dataschema": dataschema_of(record["type"]),
        "practiceid": practice_id,
        "partitionkey": subject,
        "sequence": f"{record['sequence']:020d}",
        "data": record["data"],
    }
    for name in _EXTENSIONS:
        if (value := record.get(name)) is not None:
            envelope[name] = value
    return orjson.dumps(envelope, option=orjson.OPT_UTC_Z)


def decode(raw: bytes) -> Event:
    try:
        envelope = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise Undecodable("The message is not JSON.") from error
    if not isinstance(envelope, dict) or envelope.get("specversion") != "1.0":
        raise Undecodable("The message is not a CloudEvent of version 1.0.")
    data = envelope.get("data")
    if not isinstance(data, dict):
        raise Undecodable("The event's data is not an object.")
    return Event(
        id=_text(envelope, "id"),
        type=_text(envelope, "type"),
        source=_text(envelope, "source"),
        subject=_text(envelope, "subject"),
        time=_time(envelope),
        practice_id=_text(envelope, "practiceid"),
        sequence=_sequence(envelope),
        correlation_id=_optional(envelope, "correlationid"),
        causation_id=_optional(envelope, "causationid"),
        traceparent=_optional(envelope, "traceparent"),
        data=data,
    )


def _text(envelope: dict[str, Any], name: str) -> str:
    value = envelope.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= _LONGEST_ATTRIBUTE:
        raise Undecodable(f"The event's {name} is missing or not a short text.")
    return value


def _optional(envelope: dict[str, Any], name: str) -> str | None:
    return None if envelope.get(name) is None else _text(envelope, name)


def _time(envelope: dict[str, Any]) -> datetime:
    try:
        at = datetime.fromisoformat(_text(envelope, "time"))
    except ValueError as error:
        raise Undecodable("The event's time is not a time of RFC 3339.") from error
    if at.tzinfo is None:
        raise Undecodable("The event's time names no zone.")
    return at


def _sequence(envelope: dict[str, Any]) -> int:
    text = _text(envelope, "sequence")
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= _HIGHEST_SEQUENCE):
        raise Undecodable("The event's sequence is not a positive whole number.")
    return int(text)
