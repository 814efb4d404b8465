"""`python -m services.<name> parked …`: see what could not be handled, try it again, or give it up."""

from collections.abc import Callable
from typing import Any

import click
import orjson

from shared.messaging.parked import NotParked, Parked

_COLUMNS = ("_id", "state", "attempts", "type", "subject", "parked_at", "error")


def parked_commands(open_parked: Callable[[], Parked]) -> click.Group:
    """The group, over whatever `open_parked` connects to."""
    group = click.Group("parked", help="Events that could not be handled: list, show, retry, skip.")
    for command in (_list, _show, _retry, _skip):
        group.add_command(command(open_parked))
    return group


def _list(open_parked: Callable[[], Parked]) -> click.Command:
    @click.command(
        "list", help="A page of what is parked, a line each: " + ", ".join(_COLUMNS).lstrip("_") + "."
    )
    @click.option("--state", type=click.Choice(["retrying", "early", "left"]), help="Only these.")
    @click.option("--after", help="The last id of the page before.")
    @click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True)
    def command(state: str | None, after: str | None, limit: int) -> None:
        # Plain lines with the id first and whole: it is what show, retry and skip take.
        for one in open_parked().list(limit, after, state):
            click.echo("  ".join(str(one.get(name) or "-") for name in _COLUMNS))

    return command


def _show(open_parked: Callable[[], Parked]) -> click.Command:
    @click.command("show", help="One parked event, whole, with why it is parked.")
    @click.argument("id")
    def command(id: str) -> None:
        found = _or_complain(lambda: open_parked().show(id))
        found["raw"] = bytes(found["raw"]).decode(errors="replace")
        click.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2, default=str))

    return command


def _retry(open_parked: Callable[[], Parked]) -> click.Command:
    @click.command("retry", help="Have the worker try these again at once.")
    @click.argument("ids", nargs=-1, required=True)
    def command(ids: tuple[str, ...]) -> None:
        found = open_parked().retry(ids)
        click.echo(f"{found} of {len(ids)} will be tried again.")
        if found < len(set(ids)):
            raise click.ClickException("The others are not parked here; list what is.")

    return command


def _skip(open_parked: Callable[[], Parked]) -> click.Command:
    @click.command("skip", help="Give these up for good; the log keeps their ids.")
    @click.argument("ids", nargs=-1, required=True)
    def command(ids: tuple[str, ...]) -> None:
        for id in ids:
            _or_complain(lambda id=id: open_parked().skip(id))  # type: ignore[misc]
            click.echo(f"{id} is skipped.")

    return command


def _or_complain(step: Callable[[], Any]) -> Any:
    try:
        return step()
    except NotParked as error:
        raise click.ClickException(str(error)) from error
