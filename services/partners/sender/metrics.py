"""Figures of the sender."""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge

from services.partners.domain import DeliveryState
from services.partners.store import Deliveries, Outgoing
from shared.clock import now
from shared.web.metrics import asks

SENDING = CollectorRegistry()

TRIED = Counter(
    "tandem_webhook_attempts",
    "Attempts to deliver, by what became of it: delivered, pending (tried again) or failed (for good).",
    ["became"],
    registry=SENDING,
)
CANCELLED = Counter(
    "tandem_webhook_cancelled",
    "Deliveries not made, because the app may no longer hear of it or its endpoint is gone.",
    registry=SENDING,
)
UNDECIDED = Gauge(
    "tandem_webhook_undecided", "Events of which it is not decided yet who is told.", registry=SENDING
)
WAITING = Gauge("tandem_webhook_waiting", "Deliveries to be made, now or later.", registry=SENDING)
OVERDUE = Gauge(
    "tandem_webhook_overdue_seconds",
    "For how long the delivery that is due longest is due.",
    registry=SENDING,
)
LEASE_HELD = Gauge(
    "tandem_sender_lease_held", "1 while this process is the one that sends.", registry=SENDING
)

for _state in (DeliveryState.DELIVERED, DeliveryState.PENDING, DeliveryState.FAILED):
    TRIED.labels(_state.value)


def follow(deliveries: Deliveries, outgoing: Outgoing, sends: Callable[[], bool]) -> None:
    """Have the gauges ask these."""
    asks(UNDECIDED, outgoing.waiting)
    asks(WAITING, deliveries.waiting)
    asks(OVERDUE, lambda: deliveries.overdue(now()))
    LEASE_HELD.set_function(sends)
