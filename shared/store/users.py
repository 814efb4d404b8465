"""The user of MongoDB that one service is: it may read and write its own database, and see no other."""

from typing import Any

from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.uri_parser import parse_uri

from shared.settings import Settings
from shared.store.client import Document, client_of, reading

_EXISTS = 51003


def make_user(settings: Settings) -> None:
    """Make the user that TANDEM_MONGO_URL names, or give it the password and rights it has to have."""
    with reading("TANDEM_MONGO_URL"):
        own = parse_uri(settings.mongo_url)
    roles = [{"role": "readWrite", "db": settings.database_name}]
    with client_of(settings, "admin_mongo_url") as client:
        database = client[own["options"].get("authSource") or own["database"] or "admin"]
        put_user(database, own["username"], own["password"], roles)


def put_user(database: Database[Document], name: str, password: str, roles: list[dict[str, Any]]) -> None:
    """Make this user, or give it this password and these roles alone."""
    try:
        database.command("createUser", name, pwd=password, roles=roles)
    except OperationFailure as refusal:
        if refusal.code != _EXISTS:
            raise
        database.command("updateUser", name, pwd=password, roles=roles)
