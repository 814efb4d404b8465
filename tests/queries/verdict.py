"""What is wrong with the queries that a run has met; nothing where every one uses an index."""

from collections.abc import Iterator, Sequence
from typing import Any

from scripts import parts
from tests.queries.watch import HERE, IN_PROCESSES, MADE_UP, Judged

ALLOWED = {
    (service, "find {} sort {'_id': 1}"): "republish tells each aggregate of every practice again"
    for service in ("practices", MADE_UP)
} | {(MADE_UP, "update {}"): "after a restore every sequence goes on further"}
"""What may do without an index, by service and shape, and why."""


def wrong(reports: Sequence[dict[str, Any]], whole: bool) -> list[str]:
    """What a person must mend, by the reports of all processes of a run; `whole` when it was of all tests."""
    judged = [Judged(*told) for report in reports for told in report["judged"]]
    troubled = {(one.service, one.collection, one.shape): one for one in judged if one.troubles}
    found = [_told(one) for one in troubled.values() if (one.service, one.shape) not in ALLOWED]
    if whole:
        found += _not_met({tuple(way) for report in reports for way in report["ways"]})
        found += _needless({(one.service, one.shape) for one in troubled.values()})
    return found


def _told(one: Judged) -> str:
    return (
        f"{one.service}, {one.collection}: {one.shape}\n  {one.troubles}: {one.plan}\n  asked in {one.test}"
    )


def _not_met(ways: set[tuple[str, ...]]) -> Iterator[str]:
    for service in parts.services():
        for way in (HERE, IN_PROCESSES):
            if (service, way) not in ways:
                yield f"No query of {service} was met {way}."


def _needless(needed: set[tuple[str, str]]) -> Iterator[str]:
    for service, shape in ALLOWED.keys() - needed:
        yield f"{service}: {shape}\n  is allowed and no query needs it: take it out of ALLOWED"
