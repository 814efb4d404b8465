"""Which figures are measured, what is printed and written, and how it ends."""

import importlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import __main__ as main
from benchmarks import idle, table
from benchmarks.figure import Figure, at_least
from scripts.trouble import Trouble

GOOD = Figure("one", "saves/s", (12_345.6, 12_000.0, 13_000.0), (at_least("value", 5, 6),), note="all told")
BAD = Figure("two", "ms", (2.0,), (at_least("value", 5, 6),), "plain", (4.0,), 8.0, 16)


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(main, "RESULTS", tmp_path / "build" / "bench.json")
    return main.RESULTS


def test_all_bars_met_ends_with_zero(results: Path) -> None:
    assert main.publish([GOOD]) == 0


def test_one_bar_missed_ends_with_one_and_everything_is_written(results: Path) -> None:
    assert main.publish([GOOD, BAD]) == 1

    written = json.loads(results.read_text())
    assert {name: figure["met"] for name, figure in written.items()} == {"one": True, "two": False}


def test_a_run_of_some_keeps_the_others(results: Path) -> None:
    main.publish([GOOD])
    main.publish([BAD])

    assert json.loads(results.read_text()).keys() == {"one", "two"}


def test_what_cannot_be_measured_takes_nothing_from_the_others() -> None:
    def measure(name: str) -> Iterator[Figure]:
        if name == "save":
            raise Trouble("No figure today.")
        yield GOOD

    assert main.measured(["save", "idle"], measure) == ([GOOD], ["save"])


def test_a_row_tells_both_sides_and_what_must_be_reached() -> None:
    mark, name, ours, theirs, ratio, best, must = table.row(BAD)

    assert (mark, name, ours, theirs) == ("[red]✗[/]", "two", "2 ms", "plain: 4")
    assert (ratio, best, must) == ("0.5", "8 at 16, ratio 0.25", "value ≥ 5 (aim 6)")


def test_rounds_are_shown_with_their_spread() -> None:
    assert table.row(GOOD)[2] == "12,346 saves/s (12,000 … 13,000)"


def test_without_a_name_all_is_measured() -> None:
    assert main.chosen(()) == list(main.MODULES)


def test_a_name_chooses_the_module_that_measures_it() -> None:
    assert main.chosen({"idle_cpu", "post_vs_eve"}) == ["idle", "post"]


def test_an_unknown_figure_is_told_with_those_there_are() -> None:
    with pytest.raises(Trouble, match="There is no figure speed: name some of commit_to_effect_p50_ms"):
        main.chosen({"speed", "idle_mb"})


@pytest.mark.parametrize("name", ["idle", "post", "practices", "save"])
def test_what_is_listed_can_be_measured(name: str) -> None:
    # relay, consume and latency need the peers of the lock's group `bench`.
    assert callable(importlib.import_module(f"benchmarks.{name}").figures)


def test_pss_is_read_in_bytes() -> None:
    rollup = "55d0-7ffd ---p 0 00:00 0 [rollup]\nRss:  2048 kB\nPss:  1000 kB\nPss_Dirty:  9 kB\n"

    assert idle.pss(rollup) == 1_024_000
