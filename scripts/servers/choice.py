"""Which way servers are found, and the same few verbs for each way.

TANDEM_SERVERS decides; unset: servers named by URL, else those that have this copy's data, else Docker where
it can be used, else local binaries.
"""

from dataclasses import dataclass
from pathlib import Path

from scripts import asked, ports, processes
from scripts.place import Place
from scripts.servers import answers, containers, local
from scripts.servers.found import ANSWER_SECONDS, START_SECONDS, Servers
from scripts.telling import step
from scripts.trouble import Trouble
from scripts.waiting import until

URLS = ("mongo_url", "amqp_url", "management_url")


@dataclass(frozen=True)
class Choice:
    way: str
    why: str

    def __str__(self) -> str:
        return f"{self.way}, because {self.why}"


def choose() -> Choice:
    """The way for this machine, in one line; starts nothing."""
    way, urls = asked.way(), asked.urls()
    if way == "urls" and urls is None:
        raise Trouble("TANDEM_SERVERS is urls: set TANDEM_MONGO_URL and TANDEM_AMQP_URL as well.")
    if way == "containers" and (missing := containers.missing()):
        raise Trouble(
            f"TANDEM_SERVERS is containers and {missing}: start Docker, or set TANDEM_SERVERS=local."
        )
    if way is not None:
        return Choice(way, "TANDEM_SERVERS says so")
    if urls is not None:
        return Choice("urls", "TANDEM_MONGO_URL and TANDEM_AMQP_URL name them")
    missing = containers.missing()
    return Choice("local", missing) if missing else Choice("containers", "Docker answers and has the images")


def again(place: Place) -> Choice:
    """The way to this copy's data, unless the caller asks for another; trouble where it is blocked."""
    before = place.read().get("servers", {}).get("way")
    if asked.way() or asked.urls() or before not in ("containers", "local"):
        return choose()
    if before == "containers" and (missing := containers.missing()):
        raise Trouble(
            f"The data of this copy is in containers and {missing}: start Docker, or set TANDEM_SERVERS to "
            "start afresh elsewhere."
        )
    return Choice(before, "the data of this copy is there")


def leads_elsewhere(place: Place, choice: Choice) -> bool:
    """Whether the data of this way is not what this copy had before."""
    before, named = place.read().get("servers", {}), asked.urls()
    moved = choice.way == "urls" and named is not None and named[0] != before.get("mongo_url")
    return moved or choice.way != before.get("way")


def as_before(place: Place) -> Choice | None:
    """The way that the running servers of this copy were started; None where none run."""
    before = place.read().get("servers", {})
    way = before.get("way")
    if way == "local" and all(processes.is_running(place, name) for name in local.NAMES):
        return Choice("local", "its servers run already")
    if way == "containers" and all(containers.is_running(place, name) for name in containers.IMAGES):
        return Choice("containers", "its servers run already")
    named = asked.urls() or (before.get("mongo_url"), before.get("amqp_url"))
    same = named == (before.get("mongo_url"), before.get("amqp_url"))
    if way == "urls" and same and processes.running(place):
        return Choice("urls", "what runs here uses them")
    return None


def start(place: Place, choice: Choice, chosen: dict[str, int]) -> Servers:
    """Start what is needed and wait until both answer; trouble names the one that does not."""
    mongod = local.install() if choice.way == "local" else None
    if choice.way != "urls" and as_before(place) is not None:
        return Servers(**place.read()["servers"])
    with step(f"MongoDB and RabbitMQ ({choice.way})"):
        servers = _launch(place, choice, chosen, mongod)
        await_both(place, servers, ANSWER_SECONDS if choice.way == "urls" else START_SECONDS)
    place.remember(servers={name: getattr(servers, name) for name in ("way", *URLS)})
    return servers


def stop(place: Place, grace: float = processes.GRACE) -> None:
    """Stop the servers this copy started, however it started them."""
    processes.stop(place, [name for name in ("rabbit", "mongo") if name in processes.started(place)], grace)
    processes.stop(place, [name for name in ("epmd",) if name in processes.started(place)])
    if place.read().get("servers", {}).get("way") == "containers":
        containers.stop(place)


def ports_needed(choice: Choice) -> dict[str, int]:
    used = {
        "urls": (),
        "containers": ("mongo", "rabbit", "management"),
        "local": ("mongo", "rabbit", "epmd", "dist"),
    }
    return {name: ports.SERVERS[name] for name in used[choice.way]}


def _launch(place: Place, choice: Choice, chosen: dict[str, int], mongod: Path | None) -> Servers:
    if choice.way == "urls":
        before = place.read().get("servers", {})
        named = (*urls, asked.management_url()) if (urls := asked.urls()) else ()
        mongo_url, amqp_url, management_url = named or (before[name] for name in URLS)
        ready = {"mongo": lambda: answers.mongo(mongo_url), "rabbit": lambda: answers.amqp_broker(amqp_url)}
        return Servers("urls", mongo_url, amqp_url, management_url, ready)
    if choice.way == "containers":
        # Remembered before they run, so that an interrupted start is undone as well.
        place.remember(servers={"way": "containers"})
        return containers.start(place, chosen)
    assert mongod is not None  # noqa: S101 - install() gives it or raises
    return local.start(place, chosen, mongod)


def await_both(place: Place, servers: Servers, seconds: float) -> None:
    """Wait until both answer; trouble names the one that does not."""

    def died() -> list[str]:
        return [
            n for n in local.NAMES if n in processes.started(place) and not processes.is_running(place, n)
        ]

    def over(name: str) -> bool:
        return servers.ready[name]() or (servers.way == "local" and bool(died()))

    late = until({name: lambda name=name: over(name) for name in servers.ready}, seconds)  # type: ignore[misc]
    if servers.way == "local" and (dead := died()):
        words = processes.last_words(place, dead[0])
        raise Trouble(f"{_title(dead[0])} ended while starting ({words}): see {place.logs / dead[0]}.log.")
    if late:
        raise Trouble(_silent(place, servers, late[0], seconds))


def _silent(place: Place, servers: Servers, name: str, seconds: float) -> str:
    if servers.way == "urls":
        variable = {"mongo": "TANDEM_MONGO_URL", "rabbit": "TANDEM_AMQP_URL"}[name]
        return f"{_title(name)} does not answer at its URL: check {variable}."
    where = f"{place.logs / name}.log" if servers.way == "local" else "docker logs"
    return f"{_title(name)} did not come up within {seconds:.0f} s: see {where}, then try again."


def _title(name: str) -> str:
    return {"mongo": "MongoDB", "rabbit": "RabbitMQ", "epmd": "epmd (the name server of RabbitMQ)"}[name]
