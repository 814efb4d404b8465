"""The connection to MongoDB, and what it means that the server is away."""

from datetime import UTC
from typing import Any

from pymongo import MongoClient, timeout
from pymongo.database import Database
from pymongo.errors import ConfigurationError, PyMongoError

from shared.settings import Settings, SettingsRefused

Document = dict[str, Any]
StoreUnavailable = PyMongoError
"""What every store call raises while the server is away or refuses to answer."""

# The default server selection of 30 s outlasts the AMQP heartbeat (pitfalls.md, MongoDB).
OPTIONS: dict[str, Any] = {"timeoutMS": 5_000, "w": "majority", "tz_aware": True, "tzinfo": UTC}


def connect(settings: Settings) -> Database[Document]:
    """The service's own database. Call it after fork: a MongoClient does not survive one."""
    try:
        client: MongoClient[Document] = MongoClient(settings.mongo_url, appname=settings.service, **OPTIONS)
    except (ConfigurationError, ValueError) as error:
        raise SettingsRefused(f"TANDEM_MONGO_URL cannot be used: {error}.") from None
    return client[settings.database_name]


def answers(database: Database[Document], within_ms: int = 1_000) -> bool:
    """Whether the server answers a ping in time."""
    try:
        with timeout(within_ms / 1_000):
            database.client.admin.command("ping")
    except PyMongoError:
        return False
    return True
