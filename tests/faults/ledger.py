"""The judge of every fault: a ledger kept outside the product, of what was asked for and what was promised.

The words: an id is *attempted* once asked for, *acknowledged* once its success was answered, *lost* when
acknowledged and its effect is not there, *unexpected* when its effect is there and nobody asked for it,
*duplicated* when its effect is there more than once.
"""

import threading
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    attempted: int
    acknowledged: int
    lost: list[str]
    unexpected: list[str]
    duplicated: list[str]

    @property
    def holds(self) -> bool:
        return not (self.lost or self.unexpected or self.duplicated)

    def __str__(self) -> str:
        wrong = {"lost": self.lost, "unexpected": self.unexpected, "duplicated": self.duplicated}
        counts = [f"{self.attempted} attempted", f"{self.acknowledged} acknowledged"]
        return ", ".join(counts + [f"{len(ids)} {word} {ids[:3]}" for word, ids in wrong.items()])


class Ledger:
    """Each fact is in its file before the call returns, in the order in which it became known."""

    def __init__(self, file: Path) -> None:
        self._out = file.open("a", buffering=1)
        self._lock = threading.Lock()
        self._attempted: set[str] = set()
        self._acknowledged: set[str] = set()

    def attempted(self, id: str) -> None:
        self._write(self._attempted, "attempted", id)

    def acknowledged(self, id: str) -> None:
        self._write(self._acknowledged, "acknowledged", id)

    def count(self) -> int:
        """How many are acknowledged by now."""
        return len(self._acknowledged)

    def open(self, effects: Iterable[str]) -> int:
        """How many of the acknowledged have no effect yet."""
        with self._lock:
            return len(self._acknowledged.difference(effects))

    def judge(
        self,
        effects: Iterable[str],
        repeats: bool = False,
        among: Callable[[str], bool] = lambda id: True,
    ) -> Verdict:
        """`effects` names each as often as it is there; `repeats` where at-least-once is what is promised."""
        found = Counter(effects)
        with self._lock:
            attempted, acknowledged = (
                set(filter(among, self._attempted)),
                set(filter(among, self._acknowledged)),
            )
        return Verdict(
            len(attempted),
            len(acknowledged),
            sorted(acknowledged - found.keys()),
            sorted(found.keys() - attempted),
            [] if repeats else sorted(id for id, times in found.items() if times > 1),
        )

    def _write(self, facts: set[str], word: str, id: str) -> None:
        with self._lock:
            self._out.write(f"{word} {id}\n")
            facts.add(id)
