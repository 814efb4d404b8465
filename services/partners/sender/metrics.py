"""Figures of the sender."""

from prometheus_client import Counter

TRIED = Counter("tandem_webhook_attempts", "Attempts to deliver an event.", ["became"])
