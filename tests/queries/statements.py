"""What a command asks of one collection, and its shape: the same for all values that are treated alike."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

QUERY = {"find": "filter", "count": "query", "distinct": "query", "findAndModify": "query"}
QUERY |= {"aggregate": "pipeline"}
EACH = {"update": "updates", "delete": "deletes"}
_SENT_ALONG = {"lsid", "txnNumber", "readConcern", "writeConcern", "maxTimeMS", "ordered", "$db"}
_SENT_ALONG |= {"$clusterTime", "$readPreference"}
_KINDS: tuple[tuple[Any, str], ...] = (
    (str, "text"),
    ((int, float), "number"),
    (datetime, "time"),
    (bytes, "bytes"),
)


@dataclass(frozen=True)
class Statement:
    collection: str
    command: dict[str, Any]
    """As `explain` takes it."""
    shape: str


def statements(command: Mapping[str, Any]) -> Iterator[Statement]:
    """Each statement of a bulk write on its own. Following changes reads the oplog, which has no index."""
    if not command:  # pymongo tells nothing of one that holds a secret
        return
    name = next(iter(command))
    collection = command[name]
    if name in EACH:
        for one in command[EACH[name]]:
            yield Statement(collection, {name: collection, EACH[name]: [one]}, _shape(name, "q", one))
    elif name in QUERY and "$changeStream" not in next(iter(command.get("pipeline", ())), {}):
        asked = {key: value for key, value in command.items() if key not in _SENT_ALONG}
        yield Statement(collection, asked, _shape(name, QUERY[name], asked))


def profiled(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The command of an entry in system.profile, which notes each statement of a bulk write by itself."""
    asked = entry["command"]
    name = {"update": "update", "remove": "delete"}.get(entry["op"])
    return asked if name is None else {name: entry["ns"].partition(".")[2], EACH[name]: [asked]}


def _shape(name: str, query: str, asked: Mapping[str, Any]) -> str:
    sort = f" sort {dict(asked['sort'])}" if asked.get("sort") else ""
    limit = " limit" if asked.get("limit") and name == "find" else ""
    hint = f" hint {asked['hint']}" if "hint" in asked else ""
    return f"{name} {_of(asked.get(query, {}))}{sort}{limit}{hint}"


def _of(value: Any) -> str:
    """Kept is what may decide on an index: names, operators, null, true and false, and empty lists."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_name(key)}: {_of(one)}" for key, one in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(dict.fromkeys(map(_of, value))) + "]"
    if value is None or isinstance(value, bool):
        return str(value)
    return next((name for kind, name in _KINDS if isinstance(value, kind)), type(value).__name__)


def _name(key: str) -> str:
    """A field's name, where ids and places in lists that it holds do not matter."""
    return re.sub(r"(?<=\.)[^.]*\d[^.]*", "*", key)
