"""What messaging counts, for Prometheus.

The consumer's figures have a registry of their own: it is a process of its own, and the keeper, which answers
for the whole worker, adds them to its own.
"""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

CONSUMING = CollectorRegistry()
_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

PENDING = Gauge("tandem_outbox_pending", "Aggregates with events that wait to be told")
OLDEST = Gauge("tandem_outbox_oldest_seconds", "How long the oldest of them has waited")
PARKED_NOW = Gauge("tandem_parked", "Events that are parked now", ["state"])
RELAYED = Counter("tandem_relay_confirmed", "Events that the broker confirmed")
REFUSED = Counter("tandem_relay_refused", "Events that the broker refused", ["how"])
ROUND_SIZE = Histogram("tandem_relay_round_size", "Events published in one round", buckets=_SIZES)
LEASE_HELD = Gauge("tandem_relay_lease_held", "1 while this process is the one that relays")
HANDLED = Counter("tandem_consumer_handled", "Events handled", registry=CONSUMING)
PARKED = Counter("tandem_consumer_parked", "Events parked", ["state"], registry=CONSUMING)
BATCH_SIZE = Histogram(
    "tandem_consumer_batch_size", "Events taken at once", buckets=_SIZES, registry=CONSUMING
)
EFFECT_SECONDS = Histogram(
    "tandem_consumer_effect_seconds",
    "Seconds from an event's time to its effect here",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120),
    registry=CONSUMING,
)
