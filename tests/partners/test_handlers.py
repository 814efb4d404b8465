"""What handlers leave for the sender."""

import importlib
import pkgutil
from datetime import UTC, datetime
from typing import Any

import pytest

import services
from services.partners.domain import PUBLIC_EVENTS
from services.partners.handlers import subscriber
from shared.ids import new_id
from shared.messaging.audience import PUBLIC
from shared.messaging.envelope import decode, encode
from shared.store.operations import Operation

AT = datetime(2026, 11, 2, 9, 0, 0, 123_000, tzinfo=UTC)


def record(type: str, **data: Any) -> dict[str, Any]:
    context = {"correlationid": "request-1", "traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}
    return {"id": new_id(), "type": type, "time": AT, "sequence": 7, "data": data, **context}


def heard(raw: bytes) -> list[Operation]:
    event = decode(raw)
    return [
        operation
        for registration in subscriber.of_type(event.type)
        for operation in registration.handler(registration.load(event)) or ()
    ]


@pytest.mark.parametrize("at", [AT, AT.replace(microsecond=0), AT.replace(microsecond=120_000)])
def test_what_apps_get_is_byte_for_byte_what_was_published(at: datetime) -> None:
    data = {
        "goal_id": "goal-1",
        "zoë": "ü",
        "client_id": None,
        "agreed_at": AT,
        "list": [3, 1, {"b": 1, "a": 2}],
    }
    published = encode(
        record("goal.agreed", **data) | {"time": at},
        service="goals",
        subject="goal-1",
        practice_id="practice-1",
    )

    (told,) = heard(published)

    assert told.fields["envelope"].encode() == published


def test_every_public_event_is_kept_by_its_own_id_until_decided_about() -> None:
    published = record("goal.agreed", goal_id="goal-1", client_id="client-1")

    (told,) = heard(encode(published, service="goals", subject="goal-1", practice_id="practice-1"))

    assert (told.kind, told.collection, told.id) == ("create", "outgoing", published["id"])
    assert {name: told.fields[name] for name in ("type", "client_id", "time", "due")} == {
        "type": "goal.agreed",
        "client_id": "client-1",
        "time": AT,
        "due": AT,
    }


def test_a_consent_is_kept_and_looked_back_from() -> None:
    given = record("client.consented", client_id="client-1", app_id="app-1", given_at=AT)

    kept, look = heard(encode(given, service="practices", subject="client-1", practice_id="practice-1"))

    assert (kept.kind, kept.collection) == ("project", "consents")
    assert (look.kind, look.collection, look.id) == ("create", "fanouts", given["id"])
    assert (look.fields["collection"], look.fields["record_id"]) == (kept.collection, kept.id)
    assert (look.fields["client_id"], look.fields["since"], look.fields["sequence"]) == ("client-1", AT, 7)


def test_a_grant_is_kept_and_looked_back_from_for_every_client() -> None:
    about = {"grant_id": "grant-1", "app_id": "app-1", "event_types": ["goal.agreed"], "scopes": []}
    given = record("grant.given", **about, given_at=AT)

    kept, look = heard(encode(given, service="practices", subject="grant-1", practice_id="practice-1"))

    assert (kept.kind, kept.collection, kept.id) == ("project", "grants", "grant-1")
    assert (look.fields["record_id"], look.fields["client_id"]) == ("grant-1", None)


def test_taking_permission_back_leaves_nothing_to_look_for() -> None:
    withdrawn = record("client.consent_withdrawn", client_id="client-1", app_id="app-1")
    revoked = record("grant.revoked", grant_id="grant-1", app_id="app-1")

    for taken_back in (withdrawn, revoked):
        (kept,) = heard(encode(taken_back, service="practices", subject="x", practice_id="practice-1"))
        assert kept.fields == {"active": False}


def test_partners_hears_exactly_the_events_that_are_public() -> None:
    declared = {event.type for name in _services() for event in _events_of(name) if event.audience == PUBLIC}
    kept = {one.type for one in subscriber.registrations if one.name == "keep_for_apps"}

    assert declared == kept == set(PUBLIC_EVENTS)


def _services() -> list[str]:
    return [module.name for module in pkgutil.iter_modules(services.__path__)]


def _events_of(service: str) -> list[Any]:
    return list(importlib.import_module(f"services.{service}.app").service.events)
