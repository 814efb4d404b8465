"""A figure: what was measured in each round, what a peer did in the same rounds, and the bar for it."""

from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from scripts.place import Place
from scripts.servers.found import Servers

Of = Literal["value", "ratio"]


@dataclass(frozen=True)
class Bench:
    """What a module may use: both servers, running, and the folder of all that this run starts."""

    place: Place
    servers: Servers


@dataclass(frozen=True)
class Bar:
    """What a figure must reach, and what it aims for."""

    of: Of
    sign: Literal["≥", "≤"]
    must: float
    aim: float

    def __str__(self) -> str:
        return f"{self.of} {self.sign} {self.must:,g} (aim {self.aim:,g})"

    def met(self, figure: "Figure") -> bool:
        found = figure.value if self.of == "value" else figure.ratio
        if found is None:
            return False
        return found >= self.must if self.sign == "≥" else found <= self.must


def at_least(of: Of, must: float, aim: float) -> Bar:
    return Bar(of, "≥", must, aim)


def at_most(of: Of, must: float, aim: float) -> Bar:
    return Bar(of, "≤", must, aim)


@dataclass(frozen=True)
class Figure:
    """`values` and `peer_values` are rounds, taken in turn; the peer's are at its documented defaults."""

    name: str
    unit: str
    values: tuple[float, ...]
    bars: tuple[Bar, ...]
    peer: str | None = None
    peer_values: tuple[float, ...] = ()
    best_peer_value: float | None = None
    best_concurrency: int | None = None
    """Of 1, 4 and 16: the one at which the peer does best."""
    note: str = ""

    @property
    def value(self) -> float:
        return median(self.values)

    @property
    def peer_value(self) -> float | None:
        return median(self.peer_values) if self.peer_values else None

    @property
    def ratio(self) -> float | None:
        return self._over(self.peer_value)

    @property
    def ratio_to_best(self) -> float | None:
        return self._over(self.best_peer_value)

    @property
    def ratios(self) -> tuple[float, ...]:
        """Round by round."""
        return tuple(ours / peers for ours, peers in zip(self.values, self.peer_values, strict=False))

    @property
    def met(self) -> bool:
        return all(bar.met(self) for bar in self.bars)

    def _over(self, peer: float | None) -> float | None:
        return self.value / peer if peer else None

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value,
            "unit": self.unit,
            "peer": self.peer,
            "peer_value": self.peer_value,
            "ratio": self.ratio,
            "min": min(self.values),
            "max": max(self.values),
            "rounds": len(self.values),
            "peer_min": min(self.peer_values, default=None),
            "peer_max": max(self.peer_values, default=None),
            "ratio_min": min(self.ratios, default=None),
            "ratio_max": max(self.ratios, default=None),
            "best_peer_value": self.best_peer_value,
            "best_concurrency": self.best_concurrency,
            "ratio_to_best": self.ratio_to_best,
            "bars": [str(bar) for bar in self.bars],
            "met": self.met,
            "note": self.note,
        }
