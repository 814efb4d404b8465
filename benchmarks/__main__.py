"""make bench: every figure beside its peer, on servers of its own; a bar that is missed ends it with 1."""

import importlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from types import ModuleType
from typing import Any

from benchmarks import table
from benchmarks.figure import Bench, Figure
from scripts import asked, trouble
from scripts.place import PROJECT
from scripts.servers import local, temporary
from scripts.telling import console, step
from scripts.trouble import Trouble

MODULES = {
    "idle": ("idle_mb", "idle_cpu"),
    "save": ("save_vs_plain",),
    "lock": ("save_encrypted", "list_encrypted"),
    "post": ("post_vs_eve",),
    "practices": ("save_1000_practices", "list_1000_practices", "relay_1000_practices"),
    "relay": ("relay_vs_one_by_one",),
    "consume": ("consume_vs_celery", "consume_vs_faststream"),
    "latency": ("commit_to_effect_p50_ms", "commit_to_effect_p99_ms"),
}
"""Which module measures which figures."""
RESULTS = PROJECT / "build" / "bench.json"


def main(words: Sequence[str] = sys.argv[1:]) -> int:
    modules = chosen({name for word in words for name in word.split(",") if name})
    _install()
    with temporary.own_place() as place:
        bench = Bench(place, temporary.start(place))
        figures, failed = measured(modules, lambda name: _measured(name, bench))
    return publish(figures) or (1 if failed else 0)


def measured(
    modules: Sequence[str], measure: Callable[[str], Iterator[Figure]]
) -> tuple[list[Figure], list[str]]:
    """The figures of all modules, and those that could not be measured: one takes nothing from another."""
    figures: list[Figure] = []
    failed = []
    for name in modules:
        try:
            with step(f"{name}: {', '.join(MODULES[name])}"):
                figures += measure(name)
        except Exception as error:  # noqa: BLE001 - told, and the others go on
            failed.append(name)
            console.print(f"[red]✗[/] {name} could not be measured: {type(error).__name__}: {error}")
    return figures, failed


def chosen(names: Collection[str]) -> list[str]:
    """The modules that measure these figures, all where none is named."""
    known = {figure for figures in MODULES.values() for figure in figures}
    if unknown := set(names) - known:
        raise Trouble(
            f"There is no figure {', '.join(sorted(unknown))}: name some of {', '.join(sorted(known))}."
        )
    return [module for module, figures in MODULES.items() if not names or set(figures) & set(names)]


def publish(figures: Sequence[Figure]) -> int:
    """Print the table, add it to what build/bench.json has of other figures; 1 where a bar is missed."""
    table.show(figures)
    for figure in figures:
        if figure.note:
            console.print(f"{figure.name}: {figure.note}")
    RESULTS.parent.mkdir(exist_ok=True)
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known = before | {figure.name: figure.as_json() for figure in figures}
    RESULTS.write_text(json.dumps(known, indent=2) + "\n")
    return 0 if all(figure.met for figure in figures) else 1


def _measured(name: str, bench: Bench) -> Iterator[Figure]:
    # Imported when its turn has come: what one module brings along must not weigh on another's figures.
    module: ModuleType | Any = importlib.import_module(f"benchmarks.{name}")
    yield from module.figures(bench)


def _install() -> None:
    if shutil.which("wrk") is None:
        local.apt("wrk")
    done = subprocess.run(  # noqa: S603
        ["/bin/bash", str(PROJECT / "scripts" / "environment"), "bench"], env=asked.plain(), check=False
    )
    if done.returncode:
        raise Trouble("The peers could not be installed: see above.")


if __name__ == "__main__":
    trouble.run(main)
