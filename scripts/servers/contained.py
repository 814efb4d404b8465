"""MongoDB and RabbitMQ for one run of tests, by testcontainers, labelled with the folder of the run."""

import secrets
from collections.abc import Mapping
from typing import Any

import docker
from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from scripts.place import Place
from scripts.servers import answers
from scripts.servers.containers import IMAGES
from scripts.servers.found import Servers

# Its reaper is one more image to be had; what a killed run leaves is removed by the next one, by its label.
testcontainers_config.ryuk_disabled = True
LABEL = "tandem.state"


def start(place: Place, ports: Mapping[str, int]) -> Servers:
    """Start both. The replica set names its member as seen from outside, so the ports agree."""
    mongo, rabbit, password = ports["mongo"], ports["rabbit"], secrets.token_urlsafe(24)
    set_of_one = ["--replSet", "rs0", "--port", str(mongo), "--wiredTigerCacheSizeGB", "0.5"]
    user = {"RABBITMQ_DEFAULT_USER": "tandem", "RABBITMQ_DEFAULT_PASS": password}
    _run(place, "mongo", {mongo: mongo}, command=set_of_one)
    _run(place, "rabbit", {5672: rabbit}, env=user)
    host, amqp_url = f"127.0.0.1:{mongo}", f"amqp://tandem:{password}@127.0.0.1:{rabbit}//"
    ready = {"mongo": answers.one_node_replica_set(host), "rabbit": lambda: answers.amqp_broker(amqp_url)}
    return Servers("containers", f"mongodb://{host}/?replicaSet=rs0", amqp_url, ready=ready)


def remove(place: Place) -> None:
    """What was started for this folder, with all it kept."""
    client = docker.from_env()
    for container in client.containers.list(all=True, filters={"label": f"{LABEL}={place.path}"}):
        container.remove(force=True, v=True)
    client.close()


def _run(place: Place, server: str, ports: Mapping[int, int], **about: Any) -> None:
    container = DockerContainer(IMAGES[server], **about).with_kwargs(labels={LABEL: str(place.path)})
    # Not with_bind_ports, which would open them to the network.
    container.ports = {f"{inside}/tcp": ("127.0.0.1", outside) for inside, outside in ports.items()}  # type: ignore[misc]
    container.start()
