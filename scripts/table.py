"""What a person reads when the platform runs: where it is, who is there, where things lie."""

from typing import Any

from rich.table import Table

from scripts import parts
from scripts.place import PROJECT, Place, read_json
from scripts.telling import console


def show(place: Place) -> None:
    known = place.read()
    console.print()
    console.print(_services(known["ports"]))
    if place.sample.exists():
        console.print(_people(read_json(place.sample)))
    else:
        console.print(
            "It is empty: make sample loads a small practice; to open one of your own see",
            "make service CALL='practices open --help'",
            sep="\n",
        )
    console.print(_places(place, known))


def _services(ports: dict[str, int]) -> Table:
    table = _table("Service", "API", "To read and try")
    for service in parts.services():
        at = f"http://127.0.0.1:{ports[service]}"
        table.add_row(service, at, f"{at}/v1/docs")
    return table


def _people(sample: dict[str, Any]) -> Table:
    table = _table("Sample", "Role", "Token")
    for person in sample["people"]:
        table.add_row(person["name"], person["role"], f"make token WHO={person['email']}")
    app = sample["app"]
    table.add_row(app["name"], "app", f"id and secret in {_short(Place.of_project().sample)}")
    return table


def _places(place: Place, known: dict[str, Any]) -> Table:
    table = Table.grid(padding=(0, 2))
    table.add_row("Servers", f"{known['servers']['way']}, addresses in {_short(place.platform)}")
    table.add_row("Mails", f"{_short(place.mail)}/*.eml")
    table.add_row("Data, logs", f"{_short(place.path)}/, {_short(place.logs)}/ (make logs follows them)")
    table.add_row("Next", "make demo plays the story, make down stops everything")
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, no_wrap=True)
    return table


def _short(path: Any) -> str:
    return str(path.relative_to(PROJECT)) if path.is_relative_to(PROJECT) else str(path)
