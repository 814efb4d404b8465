"""What a person reads at the end: one row a figure, with what it must reach."""

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table

from benchmarks.figure import Figure
from scripts.telling import console

_WIDTH = 150


def show(figures: Iterable[Figure]) -> None:
    # A log has no width of its own, and a table that is cut off says nothing.
    wide = Console(width=max(console.width, _WIDTH), highlight=False)
    wide.print(table(figures))


def table(figures: Iterable[Figure]) -> Table:
    made = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for column in (
        "",
        "Figure",
        "Tandem (min … max)",
        "Peer (min … max)",
        "Ratio",
        "Peer at its best",
        "Must reach",
    ):
        made.add_column(column)
    for figure in figures:
        made.add_row(*row(figure))
    return made


def row(figure: Figure) -> tuple[str, ...]:
    mark = "[green]✓[/]" if figure.met else "[red]✗[/]"
    ours = f"{_number(figure.value)} {figure.unit} {_span(figure.values)}".rstrip()
    theirs = (
        f"{figure.peer}: {_number(figure.peer_value)} {_span(figure.peer_values)}".rstrip()
        if figure.peer
        else ""
    )
    ratio = _number(figure.ratio) if figure.ratio else ""
    must = "; ".join(str(bar) for bar in figure.bars)
    return mark, figure.name, ours, theirs, ratio, _best(figure), must


def _best(figure: Figure) -> str:
    if figure.best_peer_value is None:
        return ""
    at = f"{_number(figure.best_peer_value)} at {figure.best_concurrency}"
    return f"{at}, ratio {_number(figure.ratio_to_best)}"


def _span(values: tuple[float, ...]) -> str:
    return f"({_number(min(values))} … {_number(max(values))})" if len(values) > 1 else ""


def _number(value: float | None) -> str:
    """Three digits that count, at least."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
