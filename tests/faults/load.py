"""Eight people who save a hundred times a second, over HTTP, and keep the ledger of it.

Each proposes a goal as its client and agrees to it as its clinician, in turn. Whatever is not answered with
success is asked for again in the same words until it is, as any client would do.
"""

import http.client
import json
import threading
import time
from collections import Counter
from contextlib import suppress
from typing import Any

from shared.clock import now
from tests.faults.ledger import Ledger
from tests.faults.platform import Platform

CLIENTS = 8
RATE = 100.0
PATIENCE = 30.0
GIVE_UP = 90.0
CREATED, DONE = (200, 201), (200,)


class Load:
    def __init__(self, platform: Platform, name: str, ledger: Ledger, rate: float = RATE) -> None:
        self.name, self.ledger = name, ledger
        self.answers: Counter[int] = Counter()
        """How often each status came; 0 where no answer came at all."""
        self.errors: list[str] = []
        self._people, self._port = platform.people, platform.fronts["goals"].port
        self._every = CLIENTS / rate
        self.began = now()
        self._stopping = threading.Event()
        self._tokens = {who: self._people.renew(who) for who in ("maya", "noah", "clara")}
        self._threads = [threading.Thread(target=self._work, args=(one,)) for one in range(CLIENTS)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Begin nothing more, and finish what was begun."""
        if not self._stopping.is_set():
            self._ended = now()
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        assert not self.errors, self.errors

    def a_second(self) -> float:
        """How many were acknowledged a second, pauses and outages included."""
        return self.ledger.count() / (self._ended - self.began).total_seconds()

    def _work(self, number: int) -> None:
        caller = _Caller(self._port)
        at, count = time.monotonic() + self._every * number / CLIENTS, 0
        while not self._stopping.wait(max(0.0, at - time.monotonic())):
            # Who was held up does not hurry afterwards.
            at = max(at + 2 * self._every, time.monotonic() - self._every)
            count += 1
            try:
                self._agree_on(caller, f"{self.name}-{number}-{count}")
            except AssertionError as error:
                self.errors.append(str(error))

    def whose(self, id: str) -> str:
        """The client whose goal it is: Maya's are a quarter."""
        return "noah" if int(id.split("-")[1]) % 4 else "maya"

    def _agree_on(self, caller: "_Caller", id: str) -> None:
        client = self.whose(id)
        path = f"/v1/clients/{self._people.id(client)}/goals"
        self.ledger.attempted(id)
        goal = self._insist(caller, CREATED, client, "POST", path, {"what": id}, {"Idempotency-Key": id * 2})
        self.ledger.acknowledged(id)
        path = f"/v1/goals/{goal['id']}"
        self.ledger.attempted(f"{id} agreed")
        self._insist(
            caller, DONE, "clara", "POST", f"{path}/agreement", None, {"If-Match": goal["etag"]}, path
        )
        self.ledger.acknowledged(f"{id} agreed")

    def _insist(
        self,
        caller: "_Caller",
        good: tuple[int, ...],
        who: str,
        method: str,
        path: str,
        body: Any,
        headers: dict[str, str],
        see: str = "",
    ) -> dict[str, Any]:
        """Ask until it is granted; where the version has passed, an earlier try may have been heard."""
        deadline = time.monotonic() + GIVE_UP
        while time.monotonic() < deadline:
            status, found = self._ask(caller, who, method, path, body, headers)
            if status in good:
                return found
            if status in (409, 412) and see:
                status, found = self._ask(caller, who, "GET", see, None, {})
                if status == 200 and found["status"] == "agreed":
                    return found
            assert status in (0, 401, 500, 502, 503, 504), f"{method} {path} was answered {status}: {found}"
            time.sleep(0.05 if status == 0 else 0.3)
        raise AssertionError(f"{method} {path} was not answered within {GIVE_UP:.0f} s")

    def _ask(
        self, caller: "_Caller", who: str, method: str, path: str, body: Any, headers: dict[str, str]
    ) -> tuple[int, Any]:
        token = self._tokens[who]
        status, found = caller.ask(method, path, body, headers | {"Authorization": f"Bearer {token}"})
        self.answers[status] += 1
        if status == 401:
            self._sign_in_again(who, token)
        return status, found

    def _sign_in_again(self, who: str, old: str) -> None:
        with _SIGNING_IN:
            if self._tokens[who] == old:
                with suppress(Exception):  # practices is away: the next answer of 401 tries again
                    self._tokens[who] = self._people.renew(who)


_SIGNING_IN = threading.Lock()


class _Caller:
    """One connection, opened again whenever it breaks."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)

    def ask(self, method: str, path: str, body: Any, headers: dict[str, str]) -> tuple[int, Any]:
        """The status and what came, (0, None) where nothing did."""
        data = None if body is None else json.dumps(body).encode()
        told = {"Content-Type": "application/json"} | headers if data else headers
        try:
            self._connection.request(method, path, data, told)
            answer = self._connection.getresponse()
            raw = answer.read()
            found = json.loads(raw) if raw else {}
            return answer.status, found | {"etag": answer.getheader("ETag")}
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return 0, None
