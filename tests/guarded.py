"""Servers as an installation guards them: nobody comes in without a user, and administrators make users."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.parse import quote

from scripts import ports
from scripts.place import Place
from scripts.servers import answers, choice, local, temporary
from scripts.servers.found import START_SECONDS, Servers
from scripts.servers.rabbit import Node


@contextmanager
def guarded(way: str) -> Iterator[Servers]:
    """Both for as long as the block lasts, where `way` is how this run has found its other servers."""
    with temporary.own_place() as place:
        yield started(place, way, ports.choose(place, ports.SERVERS, {}))


def started(place: Place, way: str, at: Mapping[str, int]) -> Servers:
    """Those of compose.yaml where containers are used, else processes of this machine."""
    if way == "containers":
        return choice.start(place, choice.Choice(way, "other tests use them"), dict(at))
    servers = _processes(place, at)
    choice.await_both(place, servers, START_SECONDS)
    return servers


def _processes(place: Place, at: Mapping[str, int]) -> Servers:
    mongod, key, password = local.install(), place.secret("mongo"), place.secret("administrator")
    local.start_mongod(place, "mongo", at["mongo"], mongod, "--keyFile", key)
    node = Node(place, "rabbit", "guarded@localhost", at["rabbit"], at["dist"], at["epmd"], at["management"])
    node.start()
    host = f"127.0.0.1:{at['mongo']}"
    user = f"administrator:{quote(password.read_text(), safe='')}"
    admin_url = f"mongodb://{user}@{host}/?replicaSet=rs0&authSource=admin"
    ready = {
        "mongo": answers.administered(admin_url, key.read_text()),
        "rabbit": lambda: answers.amqp_broker(node.url),
    }
    return Servers("local", admin_url, node.url, node.management_url, ready)
