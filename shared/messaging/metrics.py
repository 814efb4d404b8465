"""What messaging counts, for Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

_SIZES = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)

RELAYED = Counter("tandem_relay_confirmed", "Events that the broker confirmed")
REFUSED = Counter("tandem_relay_refused", "Events that the broker refused", ["how"])
ROUND_SIZE = Histogram("tandem_relay_round_size", "Events published in one round", buckets=_SIZES)
LEASE_HELD = Gauge("tandem_relay_lease_held", "1 while this process is the one that relays")
HANDLED = Counter("tandem_consumer_handled", "Events handled")
PARKED = Counter("tandem_consumer_parked", "Events parked", ["state"])
BATCH_SIZE = Histogram("tandem_consumer_batch_size", "Events taken at once", buckets=_SIZES)
EFFECT_SECONDS = Histogram(
    "tandem_consumer_effect_seconds",
    "Seconds from an event's time to its effect here",
    buckets=(0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5, 30, 120),
)
