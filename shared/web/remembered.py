"""An answer that is looked for at most once in two seconds, however many ask."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
_SECONDS = 2.0


class Remembered(Generic[T]):
    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._asked_at = float("-inf")
        self._answer: T

    def __call__(self) -> T:
        with self._lock:
            if time.monotonic() - self._asked_at > _SECONDS:
                self._answer = self._ask()
                self._asked_at = time.monotonic()
            return self._answer
