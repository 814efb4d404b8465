"""A service is a list of parts; from it come its commands: prepare, web, worker, parked, republish, keys."""

import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click

from shared import logs, safety
from shared.ids import new_id
from shared.keys_commands import keys_commands
from shared.messaging import topology
from shared.messaging import users as broker_users
from shared.messaging.consumer import Consumer
from shared.messaging.link import LOST, UNREACHABLE
from shared.messaging.metrics import CONSUMING, KEEPING, OLDEST, PARKED_NOW, PENDING, STATES
from shared.messaging.parked import Parked
from shared.messaging.relay import Relay
from shared.parked_commands import parked_commands
from shared.report import Report
from shared.republish_command import republish_command
from shared.security.caller import Caller
from shared.settings import Settings, SettingsRefused
from shared.store import users as store_users
from shared.store.client import StoreUnavailable, answers, connect
from shared.store.indexes import Collection, NotPrepared, prepare, require_prepared
from shared.store.lease import Lease
from shared.store.lock.vault import KeyServiceUnusable, Vault
from shared.store.outbox import oldest, waiting
from shared.web import health
from shared.web.metrics import asks, exposed
from shared.worker import Work, supervise

log = logging.getLogger(__name__)

Timed = Callable[[Any, Settings, str, threading.Event], None]
"""Runs on the keeper's database until the event is set; the name is for its lease, as the keeper's own."""
Standings = Callable[[Any, Any, str, Any], Set[tuple[str, str]]]


@dataclass(frozen=True)
class Service:
    """Everything a service is made of; `app.py` of each names its own."""

    name: str
    title: str
    collections: Sequence[Collection]
    apis: Sequence[Any]
    standings: Standings
    events: Sequence[type] = ()
    subscriber: Any = None
    timers: Sequence[Timed] = ()
    parts: dict[str, Callable[["Service", Settings], None]] = field(default_factory=dict)
    commands: Sequence[click.Command] = ()
    preparations: Sequence[Callable[[Any, Settings], None]] = ()
    """What `prepare` does besides collections and queues, each safe to run again."""
    requirements: Sequence[Callable[[Any, Settings], None]] = ()
    """What `prepare` and every part ask of the database before they begin; each refuses with a sentence."""
    keys: Callable[[Any], dict[str, Any]] | None = None
    """Who issues tokens verifies them with its own key set (RFC 7517), read from its database."""
    crisis_text: Callable[[Any, Caller], str | None] = safety.crisis_text
    """What the database says of where help is for a client."""
    republished: Sequence[Callable[[Any], Any]] = ()
    """Stores whose aggregates tell their present state by `snapshot()`, or several events, `snapshots()`."""

    @property
    def collection_names(self) -> list[str]:
        """Where events wait to be told."""
        return [collection.name for collection in self.collections if collection.kind == "aggregates"]

    @property
    def types(self) -> list[str]:
        """What it may say."""
        return [event.type for event in self.events]  # type: ignore[attr-defined]

    def run(self) -> None:
        """The command line: `python -m services.<name> …`."""
        try:
            with _mongodb("TANDEM_MONGO_URL"), _rabbitmq("TANDEM_AMQP_URL"):
                _commands(self)(prog_name=f"python -m services.{self.name}")
        except (SettingsRefused, NotPrepared, ServerUnusable, *_REFUSALS) as error:
            sys.exit("\n".join(f"{self.name}: {line}" for line in str(error).splitlines()))

    def require_prepared(self, settings: Settings) -> None:
        database = connect(settings)
        self.require(database, settings)
        require_prepared(database, self.collections, self.name)
        database.vault.require()
        # A worker forks next, and no MongoClient survives that.
        database.client.close()

    def require(self, database: Any, settings: Settings) -> None:
        for requirement in self.requirements:
            requirement(database, settings)

    def require_declared(self, settings: Settings) -> None:
        try:
            topology.require_declared(settings.amqp_url, self.name, self.subscriber.types)
        except LOST as error:
            # It may come back; relay and consumer wait for it, and the timers have work meanwhile.
            log.warning("Broker away at the start", extra={"error": type(error).__name__})


class ServerUnusable(Exception):
    """A server is away, or refuses."""


@contextmanager
def _using(server: str, errors: tuple[type[Exception], ...], variable: str) -> Iterator[None]:
    try:
        yield
    except KeyServiceUnusable:
        raise  # pymongo's as well, and a sentence already
    except errors as error:
        raise ServerUnusable(f"{server} cannot be used ({type(error).__name__}): see {variable}.") from error


_mongodb = partial(_using, "MongoDB", (StoreUnavailable,))
_rabbitmq = partial(_using, "RabbitMQ", UNREACHABLE)
_REFUSALS = (topology.QueueDiffers, broker_users.ManagementRefused, health.PortTaken, KeyServiceUnusable)


def _commands(service: Service) -> click.Group:
    group = click.Group(help=service.title)
    for name, run in {"web": _web, "worker": _worker, **service.parts}.items():
        group.add_command(_part(service, name, run))
    group.add_command(_prepare(service))
    group.add_command(
        republish_command(lambda: _open_republished(service), service.republished, service.collection_names)
    )
    group.add_command(parked_commands(lambda: _open_parked(service)))
    group.add_command(keys_commands(lambda: _open_vault(service)))
    for command in service.commands:
        group.add_command(command)
    return group


def _open_parked(service: Service) -> Parked:
    settings = Settings.read(service.name)
    logs.set_up(service.name, "parked", stream=sys.stderr)
    return Parked(connect(settings))


def _open_vault(service: Service) -> Vault:
    settings = Settings.read(service.name)
    logs.set_up(service.name, "keys", stream=sys.stderr)
    return connect(settings).vault


def _part(service: Service, name: str, run: Callable[[Service, Settings], None]) -> click.Command:
    def callback() -> None:
        settings = Settings.read(service.name)
        logs.set_up(service.name, name)
        service.require_prepared(settings)
        log.info("Starting")
        run(service, settings)

    return click.Command(name, callback=callback, help=f"Run the {name} until SIGTERM.")


def _web(service: Service, settings: Settings) -> None:
    # Imported here, so that a worker does not carry the web server's memory.
    from shared.web.server import serve

    serve(service, settings)


def _worker(service: Service, settings: Settings) -> None:
    service.require_declared(settings)
    listener = health.listen(settings.host, settings.worker_metrics_port, "TANDEM_WORKER_METRICS_PORT")
    report = Report()
    # The parent starts a keeper only when the one before is dead, so each may hold the lease of the last.
    me = new_id()
    works: dict[str, Work] = {
        "keeper": lambda stopping: _keep(service, settings, me, listener, report, stopping)
    }
    if service.subscriber.types:
        works["consumer"] = lambda stopping: _consume(service, settings, report, stopping)
    supervise(works)


def _consume(service: Service, settings: Settings, report: Report, stopping: threading.Event) -> None:
    database = connect(settings)
    consumer = Consumer(service.subscriber, database, settings.amqp_url, service.collections)
    # A consumer that is stuck says nothing, and the worker counts as dead.
    report.answer(lambda: b"" if consumer.stuck else exposed(CONSUMING))
    consumer.run(stopping)


def _keep(
    service: Service,
    settings: Settings,
    me: str,
    listener: socket.socket,
    report: Report,
    stopping: threading.Event,
) -> None:
    """The relay and the timers, each on its own thread; when one fails, all end and are started again."""
    database = connect(settings)
    works: list[Callable[[], None]] = []
    if service.events:
        works.append(lambda: _relay(service, settings, me, database).run(stopping))
    works += [lambda timer=timer: timer(database, settings, me, stopping) for timer in service.timers]  # type: ignore[misc]
    failed: list[BaseException] = []
    threads = [threading.Thread(target=_guarded, args=(work, stopping, failed)) for work in works]
    for thread in threads:
        thread.start()
    for state in STATES:
        asks(PARKED_NOW.labels(state), partial(Parked(database).count, state))
    consumes = bool(service.subscriber.types)
    health.answer(
        listener,
        {"database": lambda: answers(database)},
        alive=lambda: bool(report.ask()) if consumes else True,
        figures=lambda: exposed() + exposed(KEEPING) + (report.ask() or b"" if consumes else b""),
    )
    stopping.wait()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


def _relay(service: Service, settings: Settings, me: str, database: Any) -> Relay:
    collections = [database[name] for name in service.collection_names]
    asks(PENDING, lambda: waiting(collections))
    asks(OLDEST, lambda: oldest(collections))
    lease = Lease(database["leases"], "relay", me=me)
    return Relay(service.name, database, service.collection_names, settings.amqp_url, lease)


def _guarded(work: Callable[[], None], stopping: threading.Event, failed: list[BaseException]) -> None:
    try:
        work()
    except BaseException as error:  # noqa: BLE001 - kept, to be raised by the thread that started this one
        failed.append(error)
    finally:
        stopping.set()


def _prepare(service: Service) -> click.Command:
    def callback() -> None:
        settings = Settings.read(service.name)
        logs.set_up(service.name, "prepare")
        if settings.administered:
            with _mongodb("TANDEM_ADMIN_MONGO_URL"):
                store_users.make_user(settings)
            broker_users.make_user(settings, service.types)
        database = connect(settings)
        service.require(database, settings)
        prepare(database, service.collections)
        database.vault.prepare()
        with _rabbitmq("TANDEM_ADMIN_AMQP_URL" if settings.administered else "TANDEM_AMQP_URL"):
            amqp_url = settings.admin_amqp_url or settings.amqp_url
            topology.declare(amqp_url, service.name, service.subscriber.types)
        for step in service.preparations:
            step(database, settings)
        log.info("Prepared")

    return click.Command(
        "prepare",
        callback=callback,
        help="Make collections, indexes, queues and bindings, with TANDEM_ADMIN_… the service's users too; "
        "safe to run again.",
    )


def _open_republished(service: Service) -> Any:
    settings = Settings.read(service.name)
    logs.set_up(service.name, "republish", stream=sys.stderr)
    return connect(settings)
