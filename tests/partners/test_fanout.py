"""Who is told of an event does not depend on the order in which event, grant and consent arrive."""

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from services.partners.domain import DeliveryState
from shared.clock import now
from shared.messaging.envelope import Event
from shared.store.operations import write
from tests.partners.conftest import APP, Partners

ORDERS = list(permutations(range(3)))


@pytest.mark.parametrize("order", ORDERS)
def test_every_order_of_event_grant_and_consent_tells_the_same(
    partners: Partners, order: tuple[int, ...]
) -> None:
    endpoint_id = partners.endpoint()
    facts = [partners.granted(10), partners.consented(20), partners.agreed(30)]

    for place in order:
        partners.hear(facts[place])
        partners.fan_out()

    assert partners.told(endpoint_id) == {facts[2].id}


@pytest.mark.parametrize("order", ORDERS)
def test_no_order_tells_of_what_happened_before_the_consent(
    partners: Partners, order: tuple[int, ...]
) -> None:
    endpoint_id = partners.endpoint()
    facts = [partners.granted(10), partners.consented(30), partners.agreed(20)]

    for place in order:
        partners.hear(facts[place])
        partners.fan_out()

    assert partners.told(endpoint_id) == set()
    assert partners.database["deliveries"].count_documents({}) == 0


def test_a_look_back_waits_for_the_read_model_to_know(partners: Partners) -> None:
    endpoint_id = partners.endpoint()
    consent, event = partners.consented(20), partners.agreed(30)
    partners.hear(partners.granted(10), event)
    partners.fan_out()

    # One batch writes a collection after the other, and may die between them.
    keep, look = _operations(consent)
    write(partners.database, [(look, consent.practice_id, consent.sequence)])
    partners.fan_out()
    assert partners.told(endpoint_id) == set()
    write(partners.database, [(keep, consent.practice_id, consent.sequence)])
    _look_now(partners, {"due": {"$exists": True}})
    partners.fan_out()

    assert partners.told(endpoint_id) == {event.id}


def test_repeated_events_and_looks_add_nothing(partners: Partners) -> None:
    endpoint_id = partners.endpoint()
    facts = [partners.granted(), partners.consented(), partners.agreed()]

    for _ in range(2):
        partners.hear(*facts)
        partners.fan_out()
    _look_now(partners, {})
    partners.fan_out()

    assert partners.states(endpoint_id) == [DeliveryState.PENDING]


def test_a_repeated_event_is_not_decided_about_again(partners: Partners) -> None:
    event = partners.agreed()
    partners.hear(event)
    partners.fan_out()

    partners.hear(event)

    assert partners.database["outgoing"].count_documents({"due": {"$exists": True}}) == 0


Late = Callable[[Partners], Event]


@pytest.mark.parametrize("taken_back", [Partners.withdrawn, Partners.revoked])
@pytest.mark.parametrize("first", [True, False])
def test_permission_taken_back_holds_whenever_it_arrives(
    partners: Partners, taken_back: Late, first: bool
) -> None:
    endpoint_id = partners.endpoint()
    given, taken = [partners.granted(), partners.consented()], taken_back(partners)

    partners.hear(*([taken, *given] if first else [*given, taken]))
    partners.hear(partners.agreed())
    partners.fan_out()

    assert partners.told(endpoint_id) == set()


def test_what_is_added_to_a_grant_is_heard_from_then_on_and_the_rest_as_before(partners: Partners) -> None:
    endpoint_id = partners.permit()
    held = {"session_id": "s", "client_id": "client-1"}
    before, after = (partners.says("session.held", at, "series-1", **held) for at in (20, 50))
    agreed = partners.agreed(30)

    partners.hear(partners.changed(40, "session.held"), before, agreed, after)
    partners.fan_out()

    assert partners.told(endpoint_id) == {agreed.id, after.id}


def test_a_consent_given_anew_does_not_reach_back(partners: Partners) -> None:
    endpoint_id = partners.permit()
    before = partners.agreed(30)
    partners.hear(partners.withdrawn(40), partners.consented(50))
    after = partners.agreed(55)

    partners.hear(before, after)
    partners.fan_out()

    assert partners.told(endpoint_id) == {after.id}


@pytest.mark.parametrize(
    "other", [{"app_id": "app-2"}, {"seconds": 31}, {"event_types": ["goal.declined"]}, {"state": "disabled"}]
)
def test_other_endpoints_are_told_nothing(partners: Partners, other: dict[str, Any]) -> None:
    entitled = partners.permit()
    stranger = partners.endpoint(**other)

    partners.hear(partners.agreed(30))
    partners.fan_out()

    assert len(partners.told(entitled)) == 1
    assert partners.told(stranger) == set()


@pytest.mark.parametrize("other", [{"client_id": "client-2"}, {"practice_id": "practice-2"}])
def test_other_clients_and_practices_are_not_told_of(partners: Partners, other: dict[str, str]) -> None:
    endpoint_id = partners.permit()

    partners.hear(partners.agreed(**other))
    partners.fan_out()

    assert partners.told(endpoint_id) == set()


def test_every_endpoint_of_an_app_is_told(partners: Partners) -> None:
    endpoint_ids = [partners.permit(), partners.endpoint(), partners.endpoint(app_id=APP)]

    partners.hear(partners.agreed())
    partners.fan_out()

    assert [len(partners.told(endpoint_id)) for endpoint_id in endpoint_ids] == [1, 1, 1]


def _operations(event: Event) -> list[Any]:
    from services.partners.handlers import subscriber

    (registration,) = subscriber.of_type(event.type)
    return list(registration.handler(registration.load(event)) or ())


def _look_now(partners: Partners, which: dict[str, Any]) -> None:
    partners.database["fanouts"].update_many(which, {"$set": {"due": now()}})
