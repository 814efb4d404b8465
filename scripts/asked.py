"""What the caller asks of a command by TANDEM_ variables, and the plain environment that processes get."""

import os

from scripts.trouble import Trouble

WAYS = ("urls", "containers", "local")


def way() -> str | None:
    """Where servers are to come from; None where the command shall find out."""
    asked = os.environ.get("TANDEM_SERVERS") or None
    if asked is not None and asked not in WAYS:
        raise Trouble(f"TANDEM_SERVERS is {asked!r}: set it to urls, containers or local, or to nothing.")
    return asked


def urls() -> tuple[str, str] | None:
    """Addresses of MongoDB and RabbitMQ, where both are named."""
    mongo, amqp = os.environ.get("TANDEM_MONGO_URL"), os.environ.get("TANDEM_AMQP_URL")
    if bool(mongo) != bool(amqp):
        one, other = (
            ("TANDEM_MONGO_URL", "TANDEM_AMQP_URL") if mongo else ("TANDEM_AMQP_URL", "TANDEM_MONGO_URL")
        )
        raise Trouble(f"{one} is set and {other} is not: set both, or neither.")
    return (mongo, amqp) if mongo and amqp else None


def management_url() -> str:
    """RabbitMQ's management API, where services are to have users of their own on servers named by URL."""
    return os.environ.get("TANDEM_ADMIN_RABBITMQ_URL", "")


def database_prefix() -> str:
    """What the names of this platform's databases begin with, where others use the same server."""
    return os.environ.get("TANDEM_DATABASE_PREFIX") or "tandem_"


def ports(names: list[str]) -> dict[str, int]:
    """The ports asked for by TANDEM_<NAME>_PORT."""
    asked = {name: os.environ.get(f"TANDEM_{name.upper()}_PORT") for name in names}
    return {name: _port(name, text) for name, text in asked.items() if text}


def _port(name: str, text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise Trouble(
        f"TANDEM_{name.upper()}_PORT is {text!r}: set it to a number from 1 to 65535, or to nothing."
    )


def all_tools() -> bool:
    return os.environ.get("REQUIRE_ALL_TOOLS") == "1"


def plain() -> dict[str, str]:
    """The little of the environment that every process needs."""
    kept = ("PATH", "HOME")
    docker = tuple(name for name in os.environ if name.startswith("DOCKER_"))
    return {name: os.environ[name] for name in (*kept, *docker) if name in os.environ} | {"LANG": "C.UTF-8"}
