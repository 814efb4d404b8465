"""idle_mb and idle_cpu: what a web or a worker takes of the machine while nobody asks for anything.

The platform runs as `make up` starts it, with the sample practice. Memory is the proportional set size (PSS)
of a process and all below it: pages that several share are shared out among them. CPU is what they use in
60 s, from when all have become quiet. The figure is the largest of all webs and workers.
"""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psutil

from benchmarks.figure import Bench, Figure, at_most
from scripts import parts, platform, processes
from scripts.place import Place, read_json
from scripts.trouble import Trouble
from scripts.waiting import until

REST = 60.0
QUIET = 0.05
"""Seconds of CPU in the last two, at most, of a process that has come to rest."""
PATIENCE = 40.0
KINDS = ("web", "worker")


def figures(bench: Bench) -> Iterator[Figure]:
    with platform.undone_on_failure(bench.place):
        platform.bring_up(bench.place, sample=True)
        try:
            seconds, megabytes = measured(bench.place)
        finally:
            names = [name for name in processes.started(bench.place) if name not in platform.SERVERS]
            processes.stop(bench.place, names)
    yield _largest("idle_mb", "MB", megabytes, 90, 60)
    yield _largest("idle_cpu", "s", seconds, 0.6, 0.6)


def measured(place: Place) -> tuple[dict[str, float], dict[str, float]]:
    """Seconds of CPU in a minute of rest, and megabytes at its end, of each part."""
    roots = {part.name: _pid(place, part.name) for part in parts.parts() if part.kind in KINDS}
    _await_quiet(roots)
    before = {name: cpu_seconds(pid) for name, pid in roots.items()}
    time.sleep(REST)
    return (
        {name: cpu_seconds(pid) - before[name] for name, pid in roots.items()},
        {name: megabytes(pid) for name, pid in roots.items()},
    )


def cpu_seconds(root: int) -> float:
    """User and system time of this process and all below it."""
    return sum(times.user + times.system for times in (one.cpu_times() for one in _tree(root)))


def megabytes(root: int) -> float:
    """PSS of this process and all below it, in units of 10^6 bytes."""
    return sum(pss(Path(f"/proc/{one.pid}/smaps_rollup").read_text()) for one in _tree(root)) / 1e6


def pss(rollup: str) -> int:
    """The bytes that proc(5) calls Pss, in kB there."""
    return next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _pid(place: Place, name: str) -> int:
    return int(read_json(place.run / f"{name}.pid")["pid"])


def _await_quiet(roots: Mapping[str, int]) -> None:
    seen = dict.fromkeys(roots, 0.0)

    def rests(name: str) -> bool:
        before, seen[name] = seen[name], cpu_seconds(roots[name])
        return seen[name] - before <= QUIET

    late = until({name: lambda name=name: rests(name) for name in roots}, PATIENCE, pause=2.0)  # type: ignore[misc]
    if late:
        raise Trouble(f"{', '.join(late)} did not come to rest in {PATIENCE:.0f} s: see make logs.")


def _largest(name: str, unit: str, found: Mapping[str, float], must: float, aim: float) -> Figure:
    told = ", ".join(f"{part} {value:.2f}" for part, value in sorted(found.items(), key=lambda one: -one[1]))
    return Figure(name, unit, (max(found.values()),), (at_most("value", must, aim),), note=f"{told} {unit}")
