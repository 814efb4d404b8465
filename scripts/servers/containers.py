"""MongoDB and RabbitMQ as deploy/compose.yaml describes them, under a name of this copy's own."""

from collections.abc import Mapping

from scripts import compose, engine
from scripts.place import Place
from scripts.servers import answers
from scripts.servers.found import Servers

IMAGES = {"mongo": "mongo:7.0", "rabbit": "rabbitmq:3.13-management"}
SERVICES = {"mongo": "mongodb", "rabbit": "rabbitmq"}


def missing() -> str | None:
    """Why containers cannot be used here; None where they can, their images pulled."""
    return engine.missing(IMAGES.values()) or (
        "there is neither `docker compose` nor docker-compose" if engine.compose() is None else None
    )


def start(place: Place, ports: Mapping[str, int]) -> Servers:
    """Start what does not run."""
    project = _project(place)
    at = {"MONGO": ports["mongo"], "RABBITMQ": ports["rabbit"], "MANAGEMENT": ports["management"]}
    compose.write_settings(project.settings, {f"TANDEM_{name}_PORT": port for name, port in at.items()})
    project.up(*SERVICES.values())
    known = compose.read_settings(project.settings)
    host, key = f"127.0.0.1:{ports['mongo']}", known["TANDEM_MONGO_KEY"]
    rabbit = f"administrator:{known['TANDEM_RABBITMQ_PASSWORD']}@127.0.0.1"
    mongo_url = (
        f"mongodb://administrator:{known['TANDEM_MONGO_PASSWORD']}@{host}/?replicaSet=rs0&authSource=admin"
    )
    amqp_url = f"amqp://{rabbit}:{ports['rabbit']}//"
    return Servers(
        "containers",
        mongo_url,
        amqp_url,
        f"http://{rabbit}:{ports['management']}",
        ready={
            "mongo": answers.administered(mongo_url, key),
            "rabbit": lambda: answers.amqp_broker(amqp_url),
        },
    )


def is_running(place: Place, server: str) -> bool:
    return _project(place).is_running(SERVICES[server])


def stop(place: Place) -> None:
    """Remove our containers; their data stays in volumes."""
    _project(place).down()


def delete(place: Place) -> None:
    _project(place).down("-v", grace=1)


def _project(place: Place) -> compose.Project:
    return compose.Project(compose.named(place.path), place.folder("secrets") / "compose.env")
