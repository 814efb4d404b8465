"""What a process shows at /metrics, read as Prometheus reads it."""

import math
from collections.abc import Iterator
from urllib.request import urlopen

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.parser import text_string_to_metric_families


class Figures:
    def __init__(self, text: str) -> None:
        self.families: list[Metric] = list(text_string_to_metric_families(text))
        self._values = {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in self.families
            for sample in family.samples
        }
        assert len(self._values) == sum(len(family.samples) for family in self.families), "told twice"

    @classmethod
    def at(cls, port: int) -> "Figures":
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            return cls(answer.read().decode())

    @classmethod
    def of(cls, registry: CollectorRegistry) -> "Figures":
        return cls(generate_latest(registry).decode())

    def __call__(self, name: str, **labels: str) -> float:
        """The value of the one that has these labels and no other; NaN where there is none."""
        return self._values.get((name, frozenset(labels.items())), math.nan)

    def since(self, before: "Figures", name: str, **labels: str) -> float:
        """How much it rose; one that was not there was 0."""
        earlier = before(name, **labels)
        return self(name, **labels) - (0 if math.isnan(earlier) else earlier)

    def steady(self) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
        """What is ours and stands still while nothing happens."""
        return {
            key: value
            for key, value in self._values.items()
            if key[0].startswith("tandem_") and not key[0].endswith(("_created", "oldest_seconds"))
        }

    def labels(self) -> Iterator[tuple[str, str, str]]:
        """Of what is ours: (sample, label, value)."""
        for name, labels in self._values:
            for label, value in labels:
                if name.startswith("tandem_"):
                    yield name, label, value
