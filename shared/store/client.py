"""The connection to MongoDB, and what it means that the server is away."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC
from typing import Any

from pymongo import MongoClient, timeout
from pymongo.database import Database
from pymongo.errors import ConfigurationError, PyMongoError

from shared.settings import Settings, SettingsRefused
from shared.store.lock.database import OwnDatabase
from shared.store.lock.master import Master

Document = dict[str, Any]
StoreUnavailable = PyMongoError
"""What every store call raises while the server is away or refuses to answer."""

# The default server selection of 30 s outlasts the AMQP heartbeat (pitfalls.md, MongoDB). All of it wins over
# what a URL says.
OPTIONS: dict[str, Any] = {
    "timeoutMS": 5_000,
    "w": "majority",
    "readPreference": "primary",
    "tz_aware": True,
    "tzinfo": UTC,
}


def connect(settings: Settings) -> OwnDatabase:
    """The service's own database. Call it after fork: a MongoClient does not survive one."""
    master = Master(settings.master_key, settings.former_master_key, settings.kms_credentials)
    return OwnDatabase(client_of(settings, "mongo_url"), settings.database_name, master)


def client_of(settings: Settings, name: str) -> MongoClient[Document]:
    """A client for the server that this setting names."""
    with reading(f"TANDEM_{name.upper()}"):
        return MongoClient(getattr(settings, name), appname=settings.service, **OPTIONS)


@contextmanager
def reading(variable: str) -> Iterator[None]:
    """What pymongo says of a URL that it cannot read may have a part of it; say it in a sentence without."""
    try:
        yield
    except (ConfigurationError, ValueError, OSError) as error:
        raise SettingsRefused(
            f"{variable} cannot be used ({type(error).__name__}): it takes percent-encoded user and "
            "password, options that pymongo knows, and files that can be read."
        ) from None


def within(seconds: float) -> AbstractContextManager[Any]:
    """A context in which the store has so long for all that it is asked."""
    return timeout(seconds)


def answers(database: Database[Document], within_ms: int = 1_000) -> bool:
    """Whether the server answers a ping in time."""
    try:
        with within(within_ms / 1_000):
            database.client.admin.command("ping")
    except PyMongoError:
        return False
    return True
