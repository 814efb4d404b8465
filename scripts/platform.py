"""Bringing the platform of one copy up and down: the order of things, and the undoing of a failed start."""

import json
import signal
import socket
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from urllib.error import URLError

from scripts import asked, parts, ports, processes, trouble
from scripts.place import Place, write_private
from scripts.servers import choice
from scripts.telling import line, step
from scripts.trouble import Trouble
from scripts.waiting import until

READY_SECONDS = 60.0
UNDO_GRACE = 5.0
SERVERS = ("mongo", "rabbit", "epmd")


def bring_up(place: Place, sample: bool) -> None:
    """Start what does not run, and come back when all of it is ready."""
    with undone_on_failure(place):
        if place.read().get("code") != parts.code():
            _stop_parts(place)
        if not is_up(place):
            start_servers(place)
            prepare(place)
            start_parts(place)
            place.remember(code=parts.code())
        if sample and not place.sample.exists():
            load_sample(place)
        await_ready(place)


def bring_down(place: Place, grace: float = processes.GRACE) -> int:
    """Stop all that this copy started, servers last; gives how many processes that were."""
    names = processes.running(place)
    processes.stop(
        place, [name for name in processes.started(place) if name not in (*SERVERS, "mail")], grace
    )
    processes.stop(place, [name for name in processes.started(place) if name not in SERVERS], grace)
    choice.stop(place, grace)
    processes.stop_strays(place)
    return len(names)


@contextmanager
def undone_on_failure(place: Place) -> Iterator[None]:
    """Whatever ends the block early, an interrupt included, ends what the block started, and only that."""
    before = processes.running(place)
    try:
        yield
    except BaseException:
        # What led here is told, and not that it could not all be undone.
        with suppress(Trouble), _uninterrupted(), step("Undoing the start"):
            _undo(place, before)
        raise
    finally:
        ports.release(place)


def _stop_parts(place: Place) -> None:
    """So that what runs is what is here, and a service that is gone runs no more."""
    old = [name for name in processes.started(place) if name not in (*SERVERS, "mail")]
    if any(processes.is_running(place, name) for name in old):
        with step("The code has changed: stopping what runs the old one"):
            processes.stop(place, old)


def require_up(place: Place, *names: str) -> None:
    """Trouble unless this copy runs: its ports may be another copy's by now."""
    running = processes.running(place)
    if choice.as_before(place) is None or not running.issuperset(names):
        raise Trouble("The platform is not running here: run make up first.")


def is_up(place: Place) -> bool:
    running = processes.running(place)
    return choice.as_before(place) is not None and all(name in running for name in expected())


def expected() -> list[str]:
    return ["mail", *(part.name for part in parts.parts())]


def start_servers(place: Place) -> None:
    chosen = choice.as_before(place)
    if chosen is None:
        chosen = choice.again(place)
        line(f"Servers: {chosen}")
        # Their addresses may change: whatever still runs with the old ones is started again.
        processes.stop(place, [name for name in processes.started(place) if name not in SERVERS])
        if choice.leads_elsewhere(place, chosen):
            leave(place)
    usual = choice.ports_needed(chosen) | parts.usual_ports()
    place.remember(ports=ports.choose(place, usual, asked.ports(list(usual)), held=_held(place, chosen)))
    choice.start(place, chosen, place.read()["ports"])


def leave(place: Place) -> None:
    """Stop the servers of before and forget who is known there, as other servers are to be used."""
    with suppress(Trouble):  # they may be left because they cannot be reached
        choice.stop(place)
    place.sample.unlink(missing_ok=True)
    place.refresh_tokens.unlink(missing_ok=True)


def prepare(place: Place) -> None:
    """Collections, queues and bindings of every service, before any relay starts."""
    services = parts.services()
    commands = {f"{service}-prepare": _command(service, "prepare") for service in services}
    environments = {f"{service}-prepare": parts.preparing(place, service) for service in services}
    with step("Collections, queues and bindings"):
        processes.finish(place, commands, environments)


def start_parts(place: Place) -> None:
    running = processes.running(place)
    if "mail" not in running:
        start_mailbox(place)
    for part in parts.parts():
        if part.name not in running:
            processes.start(place, part.name, part.command, parts.environment(place, part.service))


def start_mailbox(place: Place) -> None:
    mailbox = [sys.executable, "-m", "scripts.mailbox", str(place.read()["ports"]["mail"])]
    processes.start(place, "mail", [*mailbox, place.folder("mail")], asked.plain())


def load_sample(place: Place) -> None:
    """Load the sample practice, which is the same however often this is done."""
    name, log = "practices-sample", place.folder("logs") / "practices-sample.log"
    log.unlink(missing_ok=True)
    with step("The sample practice"):
        environment = parts.environment(place, "practices")
        processes.finish(place, {name: _command("practices", "sample")}, {name: environment})
    write_private(place.sample, _json_of(log))
    log.unlink()  # It holds the app's secret.


def await_ready(place: Place, seconds: float = READY_SECONDS) -> None:
    """Wait until every process answers that it is ready; trouble names one that ended or does not."""
    known = place.read()["ports"]
    checks: dict[str, Callable[[], bool]] = {"mail": partial(_listens, known["mail"])}
    checks |= {part.name: partial(says_ready, known[part.metrics]) for part in parts.parts()}
    with step(f"{len(checks)} processes"):
        late = until(
            {name: partial(_alive_and, place, name, check) for name, check in checks.items()}, seconds
        )
    if late:
        log = place.logs / f"{late[0]}.log"
        raise Trouble(f"{late[0]} was not ready within {seconds:.0f} s: see {log}, then try again.")


def _undo(place: Place, before: set[str]) -> None:
    # A broker that has only begun to boot does not hear SIGTERM; nothing of a start needs a long farewell.
    if not before:
        bring_down(place, UNDO_GRACE)
    else:
        processes.stop(place, [name for name in processes.started(place) if name not in before], UNDO_GRACE)


def _held(place: Place, chosen: choice.Choice) -> set[str]:
    """Names of ports on which a process of ours listens."""
    running = processes.running(place)
    held: set[str] = running & {"mongo", "rabbit", "epmd", "mail"}
    if "rabbit" in held:
        held.add("dist")
    if chosen.way == "containers" and choice.as_before(place):
        held |= {"mongo", "rabbit"}
    for part in parts.parts():
        if part.name in running:
            held |= {part.metrics} | ({part.service} if part.kind == "web" else set())
    return held


def _command(service: str, word: str) -> list[str]:
    return [sys.executable, "-m", f"services.{service}", word]


def _json_of(log: Path) -> str:
    """The JSON object that the command printed last, below whatever it logged."""
    said = log.read_text()
    try:
        return json.dumps(json.loads(said[said.rindex("\n{\n") + 1 if "\n{\n" in said else 0 :]), indent=2)
    except ValueError:
        raise Trouble(f"The sample practice is not told as JSON: see {log}.") from None


def _alive_and(place: Place, name: str, check: Callable[[], bool]) -> bool:
    if check():
        return True
    if not processes.is_running(place, name):
        words = processes.last_words(place, name)
        raise Trouble(f"{name} ended while starting ({words}): see {place.logs / name}.log.")
    return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def says_ready(port: int) -> bool:
    """Whether the process behind this port for probes is ready."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2.0) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


@contextmanager
def _uninterrupted() -> Iterator[None]:
    trouble.forgive()
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, signal.SIG_IGN) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
