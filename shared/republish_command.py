"""`python -m services.<name> republish`: every aggregate tells its present state again."""

import logging
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import click

from shared.settings import SettingsRefused
from shared.store.aggregates import OutboxFull, StaleVersion, advance
from shared.store.client import StoreUnavailable

AFTER_RESTORE = 1_000_000
"""More than any aggregate can have told since the backup was made."""
_TOLD, _FULL, _LEFT = range(3)

log = logging.getLogger(__name__)


def republish_command(
    open_database: Callable[[], Any], stores: Sequence[Callable[[Any], Any]], collections: Sequence[str]
) -> click.Command:
    """The command, over these stores; after a restore all `collections` of aggregates are numbered anew."""

    @click.command(
        "republish",
        help="Tell the present state of every aggregate again, to fill the read models of a new service.",
    )
    @click.option("--to", callback=_service_name, help="Only this service hears it, say goals.")
    @click.option(
        "--after-restore",
        is_flag=True,
        help="After a backup was restored: number events past all that were told since it was made.",
    )
    def command(to: str | None, after_restore: bool) -> None:
        if to and after_restore:
            raise click.UsageError("Every service has heard what the backup lacks: leave out --to.")
        database = open_database()
        if after_restore:
            numbered = sum(advance(database[name], AFTER_RESTORE) for name in collections)
            click.echo(f"{numbered} aggregates go on beyond what they had told before.")
        became = Counter(
            _tell(store, practice_id, id, to)
            for store in (make(database) for make in stores)
            for practice_id, id in store.all_keys()
        )
        click.echo(f"{became[_TOLD]} aggregates will tell their present state.")
        if became[_FULL] or became[_LEFT]:
            raise click.ClickException(_left(became))

    return command


def _service_name(context: click.Context, option: click.Parameter, to: str | None) -> str | None:
    if to is not None and not re.fullmatch("[a-z_]+", to):
        raise click.BadParameter("a service's name is lower-case letters and _, say goals.")
    return to


def _tell(store: Any, practice_id: str, id: str, to: str | None) -> int:
    try:
        _snapshot(store, practice_id, id, to)
    except (StoreUnavailable, SettingsRefused):
        raise
    except OutboxFull:
        return _FULL
    except Exception as error:  # noqa: BLE001 - one that cannot be read holds up no other
        log.error(
            "Aggregate not told", extra={"practice_id": practice_id, "id": id, "error": type(error).__name__}
        )
        return _LEFT
    return _TOLD


def _snapshot(store: Any, practice_id: str, id: str, to: str | None) -> None:
    while True:
        aggregate = store.get(practice_id, id)
        several = getattr(aggregate, "snapshots", None)
        aggregate.events += several() if several else [aggregate.snapshot()]
        try:
            store.save(aggregate, to)
            return
        except StaleVersion:
            continue


def _left(became: Counter[int]) -> str:
    sentences = {
        _FULL: "{} have too many events waiting already: run it again when the relay has told them.",
        _LEFT: "{} cannot be read and were left out: “Aggregate not told” in the log has their ids.",
    }
    return " ".join(sentence.format(became[one]) for one, sentence in sentences.items() if became[one])
