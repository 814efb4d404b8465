"""Partners as the tests meet it: a prepared database, what it hears, and a receiver of webhooks."""

import asyncio
import base64
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pymongo.database import Database

from services.partners import signing
from services.partners.domain import Delivery, DeliveryState, Endpoint
from services.partners.handlers import subscriber
from services.partners.sender.fanout import FanOut
from services.partners.sender.process import Sender
from services.partners.store import COLLECTIONS, Deliveries, Endpoints
from shared.clock import now
from shared.ids import PLATFORM, new_id
from shared.messaging.envelope import Event, decode, encode
from shared.settings import Settings
from shared.store.indexes import prepare
from shared.store.operations import write

PRACTICE, CLIENT, APP = "practice-1", "client-1", "app-1"
SECRET_KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def settings() -> Settings:
    return Settings(
        service="partners",
        mongo_url="mongodb://unused",
        amqp_url="amqp://unused",
        issuer="http://practices.test",
        jwks_url="http://practices.test/jwks",
        secret_key=SECRET_KEY,
        environment="development",
    )


@pytest.fixture
def partners(database: Database[dict[str, Any]], settings: Settings) -> "Partners":
    prepare(database, COLLECTIONS)
    return Partners(database, settings)


@dataclass
class Partners:
    """One practice, client and app, and their history, told in whatever order a test wants."""

    database: Database[dict[str, Any]]
    settings: Settings
    sequence: int = 0
    secret: str = field(default_factory=signing.new_secret)
    began: datetime = field(default_factory=lambda: now() - timedelta(minutes=1))

    def hear(self, *events: Event) -> None:
        """Handle each as the consumer would."""
        for event in events:
            for registration in subscriber.of_type(event.type):
                operations = registration.handler(registration.load(event)) or ()
                failed = write(
                    self.database, [(one, event.practice_id, event.sequence) for one in operations]
                )
                assert failed == {}

    def at(self, seconds: float) -> datetime:
        return self.began + timedelta(seconds=seconds)

    def registered(self, app_id: str) -> Event:
        about = {"app_id": app_id, "name": app_id}
        return self.says("app.registered", 0, app_id, practice_id=PLATFORM, **about)

    def granted(self, seconds: float = 10, *types: str, app_id: str = APP) -> Event:
        about = {"event_types": list(types or ("goal.agreed",)), "scopes": [], "given_at": self.at(seconds)}
        return self.says("grant.given", seconds, "grant-" + app_id, app_id=app_id, **about)

    def changed(self, seconds: float, added: str, app_id: str = APP) -> Event:
        """The grant of before, with one type more."""
        about = {"event_types": ["goal.agreed", added], "scopes": [], "given_at": self.at(10)}
        since = {added: self.at(seconds).isoformat()}
        return self.says("grant.given", seconds, "grant-" + app_id, app_id=app_id, **about, since=since)

    def revoked(self, seconds: float = 40, app_id: str = APP) -> Event:
        return self.says("grant.revoked", seconds, "grant-" + app_id, app_id=app_id)

    def consented(self, seconds: float = 10, app_id: str = APP, client_id: str = CLIENT) -> Event:
        given = {"client_id": client_id, "app_id": app_id, "given_at": self.at(seconds)}
        return self.says("client.consented", seconds, client_id, **given)

    def withdrawn(self, seconds: float = 40, app_id: str = APP) -> Event:
        return self.says("client.consent_withdrawn", seconds, CLIENT, client_id=CLIENT, app_id=app_id)

    def agreed(self, seconds: float = 30, client_id: str = CLIENT, practice_id: str = PRACTICE) -> Event:
        people = {"client_id": client_id, "clinician_id": "clinician-1", "proposed_by": client_id}
        data = {"goal_id": "goal-1", **people, "agreed_by": "clinician-1"}
        return self.says("goal.agreed", seconds, "goal-1", "goals", practice_id, **data)

    def says(
        self,
        type: str,
        seconds: float,
        subject: str,
        service: str = "practices",
        practice_id: str = PRACTICE,
        **data: Any,
    ) -> Event:
        """The event as the service's relay publishes it and the consumer decodes it."""
        self.sequence += 1
        data = {
            key: value if not isinstance(value, datetime) else value.isoformat()
            for key, value in data.items()
        }
        if type == "grant.revoked" or type == "grant.given":
            data["grant_id"] = subject
        record = {
            "id": new_id(),
            "type": type,
            "time": self.at(seconds),
            "sequence": self.sequence,
            "data": data,
        }
        return decode(encode(record, service=service, subject=subject, practice_id=practice_id))

    def endpoint(
        self, url: str = "http://127.0.0.1:9/", seconds: float = 0, app_id: str = APP, **more: Any
    ) -> str:
        sealed = signing.seal(self.secret, self.settings.key("webhooks"))
        one = Endpoint(new_id(), PLATFORM, app_id, url, sealed, self.at(seconds), **more)
        Endpoints(self.database).add(one)
        return one.id

    def permit(self, url: str = "http://127.0.0.1:9/", **more: Any) -> str:
        """Everything that entitles the app; the endpoint's id."""
        self.hear(self.granted(), self.consented())
        return self.endpoint(url, **more)

    def fan_out(self) -> None:
        fanout = FanOut(self.database)
        while fanout.decide_new() or fanout.look_back(now()):
            pass

    def deliveries(self, endpoint_id: str) -> list[Delivery]:
        return Deliveries(self.database).of_endpoint(endpoint_id, 100, None)

    def states(self, endpoint_id: str) -> list[DeliveryState]:
        return [delivery.state for delivery in self.deliveries(endpoint_id)]

    def told(self, endpoint_id: str) -> set[str]:
        return {delivery.event_id for delivery in self.deliveries(endpoint_id)}

    def lease(self) -> Any:
        """Who sends."""
        return self.database["leases"].find_one({"_id": "sender"})

    def wait_for_attempt(self, endpoint_id: str) -> None:
        until(lambda: any(delivery.attempts for delivery in self.deliveries(endpoint_id)))

    @contextmanager
    def sending(self) -> Iterator[Sender]:
        """A sender on a thread and loop of its own, for as long as the block lasts."""
        sender, stopping = Sender(self.database, self.settings, new_id()), threading.Event()
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=lambda: loop.run_until_complete(sender.run(stopping)))
        thread.start()
        try:
            yield sender
        finally:
            stopping.set()
            sender._wakeup.wake()
            thread.join(timeout=20)
            assert not thread.is_alive()
            loop.run_until_complete(loop.shutdown_default_executor())
            loop.close()


@dataclass
class Request:
    headers: dict[str, str]
    body: bytes


class Receiver:
    """A real HTTP server that answers as it is told and keeps what it got."""

    def __init__(self) -> None:
        self.got: list[Request] = []
        self.answers: list[int | tuple[int, dict[str, str]]] = []
        self.hold = threading.Event()
        self.hold.set()
        self.at_once = self.most_at_once = 0
        self._lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                status, headers = receiver.arrived(
                    Request({k.lower(): v for k, v in self.headers.items()}, body)
                )
                self.send_response(status)
                for name, value in {"content-length": "0", **headers}.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def arrived(self, request: Request) -> tuple[int, dict[str, str]]:
        with self._lock:
            self.got.append(request)
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
            answer = self.answers.pop(0) if self.answers else 200
        self.hold.wait(10)
        with self._lock:
            self.at_once -= 1
        return answer if isinstance(answer, tuple) else (answer, {})

    @property
    def ids(self) -> list[str]:
        return [request.headers["webhook-id"] for request in self.got]

    def close(self) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    yield server
    server.close()


def until(holds: Callable[[], Any], seconds: float = 30) -> None:
    """Wait for a condition, with a deadline."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come to hold in time"
        time.sleep(0.01)
