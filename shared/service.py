"""A service is a list of parts; from it follow its commands: prepare, web, worker, parked, republish."""

import logging
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import click

from shared import logs
from shared.messaging import topology
from shared.messaging.consumer import Consumer
from shared.messaging.link import LOST
from shared.messaging.parked import Parked
from shared.messaging.relay import Relay
from shared.parked_commands import parked_commands
from shared.settings import Settings, SettingsRefused
from shared.store.aggregates import StaleVersion
from shared.store.client import StoreUnavailable, answers, connect
from shared.store.indexes import Collection, NotPrepared, prepare, require_prepared
from shared.store.lease import Lease
from shared.web import health
from shared.worker import Work, supervise

log = logging.getLogger(__name__)

Timer = Callable[[Any, Settings, threading.Event], None]
Standings = Callable[[Any, Any, str, Any], set[tuple[str, str]]]


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
    timers: Sequence[Timer] = ()
    parts: dict[str, Callable[["Service", Settings], None]] = field(default_factory=dict)
    commands: Sequence[click.Command] = ()
    preparations: Sequence[Callable[[Any, Settings], None]] = ()
    """What `prepare` does besides collections and queues, each safe to run again."""
    keys: Callable[[Any], dict[str, Any]] | None = None
    """Who issues tokens verifies them with its own key set (RFC 7517), read from its database."""
    republished: Sequence[Callable[[Any], Any]] = ()
    """Stores whose aggregates can tell their present state as one event, `snapshot()`."""

    @property
    def collection_names(self) -> list[str]:
        """Where events wait to be told."""
        return [collection.name for collection in self.collections if collection.kind == "aggregates"]

    def run(self) -> None:
        """The command line: `python -m services.<name> …`."""
        try:
            _commands(self)(prog_name=f"python -m services.{self.name}")
        except (SettingsRefused, NotPrepared, topology.QueueDiffers, health.PortTaken) as error:
            sys.exit("\n".join(f"{self.name}: {line}" for line in str(error).splitlines()))
        except StoreUnavailable as error:
            sys.exit(f"{self.name}: MongoDB cannot be used ({type(error).__name__}): see TANDEM_MONGO_URL.")
        except LOST as error:
            sys.exit(f"{self.name}: RabbitMQ cannot be used ({type(error).__name__}): see TANDEM_AMQP_URL.")

    def require_prepared(self, settings: Settings) -> None:
        database = connect(settings)
        require_prepared(database, self.collections, self.name)
        # A worker forks next, and no MongoClient survives that.
        database.client.close()

    def require_declared(self, settings: Settings) -> None:
        try:
            topology.require_declared(settings.amqp_url, self.name, self.subscriber.types)
        except LOST as error:
            # It may come back; relay and consumer wait for it, and the timers have work meanwhile.
            log.warning("Broker away at the start", extra={"error": type(error).__name__})


def _commands(service: Service) -> click.Group:
    group = click.Group(help=service.title)
    for name, run in {"web": _web, "worker": _worker, **service.parts}.items():
        group.add_command(_part(service, name, run))
    group.add_command(_prepare(service))
    group.add_command(_republish(service))
    group.add_command(parked_commands(lambda: Parked(connect(Settings.read(service.name)))))
    for command in service.commands:
        group.add_command(command)
    return group


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
    works: dict[str, Work] = {"keeper": lambda stopping: _keep(service, settings, stopping)}
    if service.subscriber.types:
        works["consumer"] = lambda stopping: _consume(service, settings, stopping)
    supervise(works)


def _consume(service: Service, settings: Settings, stopping: threading.Event) -> None:
    database = connect(settings)
    Consumer(service.subscriber, database, settings.amqp_url, service.collections).run(stopping)


def _keep(service: Service, settings: Settings, stopping: threading.Event) -> None:
    """The relay and the timers, each on its own thread; when one fails, all end and are started again."""
    database = connect(settings)
    works: list[Callable[[], None]] = []
    if service.events:
        lease = Lease(database["leases"], "relay")
        relay = Relay(service.name, database, service.collection_names, settings.amqp_url, lease)
        works.append(lambda: relay.run(stopping))
    works += [lambda timer=timer: timer(database, settings, stopping) for timer in service.timers]  # type: ignore[misc]
    failed: list[BaseException] = []
    threads = [threading.Thread(target=_guarded, args=(work, stopping, failed)) for work in works]
    for thread in threads:
        thread.start()
    health.serve(
        settings.host,
        settings.worker_metrics_port,
        {"database": lambda: answers(database)},
        variable="TANDEM_WORKER_METRICS_PORT",
    )
    stopping.wait()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]


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
        database = connect(settings)
        prepare(database, service.collections)
        topology.declare(settings.amqp_url, service.name, service.subscriber.types)
        for step in service.preparations:
            step(database, settings)
        log.info("Prepared")

    return click.Command(
        "prepare",
        callback=callback,
        help="Make collections, indexes, queues and bindings; safe to run again.",
    )


def _republish(service: Service) -> click.Command:
    def callback(to: str | None) -> None:
        settings = Settings.read(service.name)
        logs.set_up(service.name, "republish")
        database = connect(settings)
        told = sum(_tell_again(store(database), to) for store in service.republished)
        click.echo(f"{told} aggregates will tell their present state.")

    option = click.Option(["--to"], help="Only this service hears it, say goals.")
    return click.Command(
        "republish",
        params=[option],
        callback=callback,
        help="Tell the present state of every aggregate again, to fill the read models of a new service.",
    )


def _tell_again(store: Any, to: str | None) -> int:
    count = 0
    for aggregate in store.everywhere():
        while True:
            aggregate.events.append(aggregate.snapshot())
            try:
                store.save(aggregate, to=to)
                break
            except StaleVersion:
                aggregate = store.get(aggregate.practice_id, aggregate.id)
        count += 1
    return count
