"""The consuming child's figures, asked for by the keeper, which answers for the whole worker.

A pair of datagram sockets, made before the children are forked: an answer is one datagram, so that what a
child that died left half-done is never mistaken for an answer.
"""

import socket
import threading
import uuid
from collections.abc import Callable

_LARGEST = 200_000


class Report:
    def __init__(self) -> None:
        self._asking, self._answering = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._asking.settimeout(1.0)
        self._one_at_a_time = threading.Lock()

    def answer(self, tell: Callable[[], bytes]) -> None:
        """Answer from now on, on a thread that ends with the process."""
        threading.Thread(target=self._answer, args=(tell,), name="report", daemon=True).start()

    def _answer(self, tell: Callable[[], bytes]) -> None:
        while True:
            question = self._answering.recv(16)
            self._answering.send(question + tell()[:_LARGEST])

    def ask(self) -> bytes | None:
        """What the other process tells; None where it does not answer within a second."""
        with self._one_at_a_time:
            question = uuid.uuid4().bytes
            try:
                self._asking.send(question)
                while (answer := self._asking.recv(_LARGEST + 16))[:16] != question:
                    pass  # of a question that was given up
            except OSError:
                return None
            return answer[16:]
