"""MongoDB and RabbitMQ in two containers of the Docker engine, labelled with their state folder."""

import hashlib
import json
import secrets
from collections.abc import Mapping

from scripts import engine
from scripts.place import Place, write_private
from scripts.servers import answers
from scripts.servers.found import Servers
from scripts.trouble import Trouble

IMAGES = {"mongo": "mongo:7.0", "rabbit": "rabbitmq:3.13-management"}


def missing() -> str | None:
    """Why containers cannot be used here; None where they can, their images pulled."""
    return engine.missing(IMAGES.values())


def start(place: Place, ports: Mapping[str, int]) -> Servers:
    """Start what does not run. The replica set names its member as seen from outside, so the ports agree."""
    mongo, rabbit = str(ports["mongo"]), str(ports["rabbit"])
    password = _password(place)
    _run(
        place,
        "mongo",
        ["-p", f"127.0.0.1:{mongo}:{mongo}", "-v", f"{_name(place, 'mongo')}:/data/db"],
        ["--replSet", "rs0", "--port", mongo, "--bind_ip_all", "--wiredTigerCacheSizeGB", "0.5"],
    )
    files = ["-v", f"{_name(place, 'rabbit')}:/var/lib/rabbitmq"]
    user = ["-e", "RABBITMQ_DEFAULT_USER=tandem", "-e", f"RABBITMQ_DEFAULT_PASS={password}"]
    _run(place, "rabbit", ["-p", f"127.0.0.1:{rabbit}:5672", "--hostname", "tandem", *files, *user], [])
    amqp_url = f"amqp://tandem:{password}@127.0.0.1:{rabbit}//"
    host = f"127.0.0.1:{mongo}"
    ready = {"mongo": answers.one_node_replica_set(host), "rabbit": lambda: answers.amqp_broker(amqp_url)}
    return Servers("containers", f"mongodb://{host}/?replicaSet=rs0", amqp_url, ready)


def is_running(place: Place, server: str) -> bool:
    state = engine.run("inspect", "-f", "{{json .State.Running}}", _name(place, server))
    return state.returncode == 0 and json.loads(state.stdout) is True


def stop(place: Place) -> None:
    """Remove our containers; their data stays in volumes."""
    found = engine.run("ps", "-aq", "--filter", f"label={_label(place)}").stdout.split()
    if found:
        engine.run("stop", "-t", "20", *found)
        engine.run("rm", "-f", *found)


def delete(place: Place) -> None:
    stop(place)
    engine.run("volume", "rm", "-f", *(_name(place, server) for server in IMAGES))


def _run(place: Place, server: str, options: list[str], command: list[str]) -> None:
    if is_running(place, server):
        return
    name = _name(place, server)
    engine.run("rm", "-f", name)
    done = engine.run(
        "run", "-d", "--name", name, "--label", _label(place), *options, IMAGES[server], *command
    )
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise Trouble(
            f"Docker did not start {IMAGES[server]} ({said[-1]}): see to that, or set TANDEM_SERVERS=local."
        )


def _name(place: Place, server: str) -> str:
    return f"tandem-{hashlib.sha256(str(place.path).encode()).hexdigest()[:8]}-{server}"


def _label(place: Place) -> str:
    return f"tandem.state={place.path}"


def _password(place: Place) -> str:
    file = place.folder("secrets") / "rabbit"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()
