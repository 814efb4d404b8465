"""Deliveries keep what became of them."""

from dataclasses import replace
from datetime import timedelta

from services.partners.domain import Attempt, DeliveryState
from services.partners.store import Deliveries
from shared.clock import now
from tests.partners.conftest import Partners


def test_a_late_sender_cannot_undo_what_another_delivered(partners: Partners) -> None:
    endpoint_id = partners.permit()
    partners.hear(partners.agreed())
    partners.fan_out()
    (pending,) = partners.deliveries(endpoint_id)
    deliveries = Deliveries(partners.database)

    deliveries.record(pending.after(Attempt(now(), 5, status=200), jitter=0))
    deliveries.record(pending.after(Attempt(now(), 15_000, error="timeout"), jitter=0))

    (kept,) = partners.deliveries(endpoint_id)
    assert (kept.state, len(kept.attempts), kept.next_at) == (DeliveryState.DELIVERED, 1, None)
    assert deliveries.due(now() + timedelta(days=2), 10) == []


def test_a_delivery_is_due_when_its_time_has_come_and_nobody_is_at_it(partners: Partners) -> None:
    endpoint_id = partners.permit()
    partners.hear(partners.agreed())
    partners.fan_out()
    (pending,) = partners.deliveries(endpoint_id)
    deliveries = Deliveries(partners.database)
    at = pending.next_at or now()

    assert deliveries.due(at, 10) == [pending]
    assert deliveries.due(at - timedelta(milliseconds=1), 10) == []
    assert deliveries.due(at, 10, under_way=[pending.id]) == []
    assert deliveries.due(at, 10, busy_endpoints=[endpoint_id]) == []


def test_deliveries_are_listed_newest_first_page_by_page(partners: Partners) -> None:
    endpoint_id = partners.permit()
    partners.hear(*(partners.agreed() for _ in range(3)))
    partners.fan_out()
    (one, *_) = partners.deliveries(endpoint_id)
    deliveries = Deliveries(partners.database)
    newer = replace(one, id="newer", created_at=one.created_at + timedelta(seconds=1))
    deliveries.add([newer])

    first = deliveries.of_endpoint(endpoint_id, 2, None)
    rest = deliveries.of_endpoint(endpoint_id, 10, first[-1].id)

    assert (first[0], len(first), len(rest)) == (newer, 2, 2)
    assert {delivery.id for delivery in first} & {delivery.id for delivery in rest} == set()
