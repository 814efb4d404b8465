"""What messaging counts, for Prometheus.

Each process shows what it counts itself and nothing else: web has no outbox to show. The keeper, which
answers for the whole worker, adds what the consumer tells it. What may be counted is there from the start,
with 0: a counter that appears at its first event has no rate before its second.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

KEEPING = CollectorRegistry()
"""Of the keeper: the relay and the timers."""
CONSUMING = CollectorRegistry()
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

PENDING = Gauge("tandem_outbox_pending", "Aggregates with events that wait to be told.", registry=KEEPING)
OLDEST = Gauge(
    "tandem_outbox_oldest_seconds", "For how long the oldest of their events has waited.", registry=KEEPING
)
PARKED_NOW = Gauge("tandem_parked", "Events that are parked now.", ["state"], registry=KEEPING)
RELAYED = Counter("tandem_relay_confirmed", "Events that the broker confirmed.", registry=KEEPING)
REFUSED = Counter(
    "tandem_relay_refused",
    "Events that the broker refused, nacked or returned; each time, of one aggregate the first only.",
    ["how"],
    registry=KEEPING,
)
ROUND_SIZE = Histogram(
    "tandem_relay_round_size", "Events published in one round.", buckets=_SIZES, registry=KEEPING
)
LEASE_HELD = Gauge(
    "tandem_relay_lease_held", "1 while this process is the one that relays.", registry=KEEPING
)
HANDLED = Counter("tandem_consumer_handled", "Events handled.", registry=CONSUMING)
PARKED = Counter("tandem_consumer_parked", "Events parked.", ["state"], registry=CONSUMING)
BATCH_SIZE = Histogram(
    "tandem_consumer_batch_size", "Events taken at once.", buckets=_SIZES, registry=CONSUMING
)
EFFECT_SECONDS = Histogram(
    "tandem_consumer_effect_seconds",
    "Seconds from the time of a batch's oldest event, when it was committed, to its effect here.",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120),
    registry=CONSUMING,
)

STATES = ("retrying", "early", "left")
for _state in STATES:
    PARKED.labels(_state)
for _how in ("nacked", "returned"):
    REFUSED.labels(_how)
