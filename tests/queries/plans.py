"""How the server would carry out a statement, and what is wrong with that."""

from collections.abc import Iterator, Mapping
from typing import Any

from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database

from tests.queries.statements import Statement

_ASIDE = {"rejectedPlans", "parsedQuery", "filter", "command", "slotBasedPlan"}
_REFUSED = ("NO COLLECTION", "COLLSCAN", "SORT", "$sort")
# The bounds of a count over an index are times as they are, and Python's end with the year 9999.
_EVERY_TIME = CodecOptions[dict[str, Any]](datetime_conversion=DatetimeConversion.DATETIME_AUTO)
_WHOLE = "[MinKey, MaxKey]", "[MaxKey, MinKey]"


def explain(database: Database[dict[str, Any]], statement: Statement) -> list[dict[str, Any]]:
    """The stages of the plan that wins, from what gives the answer down to what reads."""
    if statement.collection not in database.list_collection_names():
        return [{"stage": "NO COLLECTION"}]
    explained = database.command(
        "explain", statement.command, verbosity="queryPlanner", codec_options=_EVERY_TIME
    )
    return list(_stages(explained))


def told(stages: list[dict[str, Any]]) -> str:
    return " < ".join(" ".join(filter(None, (one["stage"], one.get("indexName")))) for one in stages)


def troubles(stages: list[dict[str, Any]]) -> list[str]:
    names = {one["stage"] for one in stages}
    found = [f"{name} in the plan" for name in _REFUSED if name in names]
    if any(_walks_all_of(one) for one in stages) and not _is_a_page(stages):
        found.append("walks the whole index")
    return found if stages else ["no plan"]


def _walks_all_of(stage: Mapping[str, Any]) -> bool:
    """An index that holds only what is looked for may be walked."""
    bounds = next(iter(stage.get("indexBounds", {}).values()), ())
    return bool(set(bounds) & {*_WHOLE}) and not stage.get("isPartial")


def _is_a_page(stages: list[dict[str, Any]]) -> bool:
    """Walking an index in its order ends soon where nothing is left out and a few are enough."""
    return any(one["stage"] == "LIMIT" for one in stages) and not any("filter" in one for one in stages)


def _stages(part: Any) -> Iterator[dict[str, Any]]:
    if isinstance(part, list):
        for one in part:
            yield from _stages(one)
    elif isinstance(part, dict):
        if "stage" in part:
            yield part
        elif "$sort" in part:
            yield {"stage": "$sort"}
        for name, inner in part.items():
            if name not in _ASIDE:
                yield from _stages(inner)
