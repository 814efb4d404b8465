"""MongoDB and RabbitMQ as processes of this machine, with all they keep under our state folder.

The broker that Debian's package may have started is neither used nor touched: ours is run by the script in
the package's library folder, with its own node name, cookie, epmd, ports and files.
"""

import fcntl
import os
import resource
import secrets
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from scripts import asked, processes
from scripts.place import PROJECT, Place
from scripts.servers import answers
from scripts.servers.found import Servers
from scripts.servers.rabbit import SERVER, Node
from scripts.telling import step
from scripts.trouble import Trouble

NAMES = ("rabbit", "epmd", "mongo")
APT = ("apt-get", "-qq", "-o", "DPkg::Lock::Timeout=60")
NOT_ROOT = (
    "run `apt-get install {packages}` as root, or name servers by TANDEM_MONGO_URL and TANDEM_AMQP_URL."
)


def install() -> Path:
    """Make sure that both servers are on this machine; gives mongod."""
    # One after the other: the workers of a test run all ask at once, and apt-get does not wait for itself.
    with (PROJECT / "build" / "install.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _installed()


def _installed() -> Path:
    if not SERVER.exists() or shutil.which("epmd") is None:
        apt("rabbitmq-server")
    mongod = _mongod()
    if mongod is None:
        with step("Installing MongoDB from the lock"):
            _must(
                ["/bin/bash", str(PROJECT / "scripts" / "environment"), "local"],
                "MongoDB could not be installed",
            )
        mongod = _mongod()
    if mongod is None:
        raise Trouble(
            "There is no mongod for this machine: put one in PATH, or name a server by TANDEM_MONGO_URL."
        )
    if b"libcurl" in subprocess.run([mongod, "--version"], capture_output=True, check=False).stderr:  # noqa: S603
        apt("libcurl4")
    return mongod


def start(place: Place, ports: Mapping[str, int], mongod: Path) -> Servers:
    """Start what does not run; both come up at the same time."""
    if not processes.is_running(place, "mongo"):
        start_mongod(place, "mongo", ports["mongo"], mongod)
    node = Node(place, "rabbit", _node(place), ports["rabbit"], ports["dist"], ports["epmd"])
    if not processes.is_running(place, "rabbit"):
        node.start()
    host = f"127.0.0.1:{ports['mongo']}"
    ready = {"mongo": answers.one_node_replica_set(host), "rabbit": lambda: answers.amqp_broker(node.url)}
    return Servers("local", f"mongodb://{host}/?replicaSet=rs0", node.url, ready=ready)


def start_mongod(place: Place, name: str, port: int, mongod: Path, *options: str | Path) -> None:
    """Start one member of rs0, which keeps its data in the folder of its name."""
    flags = ["--bind_ip", "127.0.0.1", "--port", str(port), "--replSet", "rs0", "--nounixsocket", "--quiet"]
    sizes = ["--wiredTigerCacheSizeGB", "0.5", "--oplogSize", "512"]
    # mongod holds a file open for each collection and index, and dies where it may not.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    command: list[str | Path] = [mongod, "--dbpath", place.folder(name), *flags, *sizes, *options]
    processes.start(place, name, command, asked.plain())


def _node(place: Place) -> str:
    """The node's name, which names its data folder and so stays as it was made."""
    known = place.read().get("node")
    if known is None:
        known = f"tandem-{secrets.token_hex(4)}@localhost"
        place.remember(node=known)
    return str(known)


def _mongod() -> Path | None:
    in_path = shutil.which("mongod")
    shipped = sorted(PROJECT.glob(".venv/lib/python*/site-packages/fiftyone/db/bin/mongod"))
    return Path(in_path) if in_path else next(iter(shipped), None)


def apt(*packages: str) -> None:
    names = " ".join(packages)
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise Trouble(f"{names} is not installed: " + NOT_ROOT.format(packages=names))
    with step(f"Installing {names} by apt-get"):
        failed = f"apt-get could not install {names}"
        _must([*APT, "update"], failed)
        _must([*APT, "install", "--download-only", "-y", "--no-install-recommends", *packages], failed)
        # In a session of its own: an interrupt must not leave dpkg half-way.
        _must([*APT, "install", "-y", "--no-install-recommends", *packages], failed, start_new_session=True)


def _must(command: list[str], failed: str, start_new_session: bool = False) -> None:
    environment = asked.plain() | {"DEBIAN_FRONTEND": "noninteractive"}
    log = PROJECT / "build" / "install.log"
    # A file and not a pipe: a broker that the package starts would hold the pipe open for ever.
    with log.open("w") as out:
        done = subprocess.run(  # noqa: S603
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            check=False,
            start_new_session=start_new_session,
        )
    if done.returncode:
        said = [line.strip() for line in log.read_text(errors="replace").splitlines() if line.strip()]
        raise Trouble(f"{failed} ({said[-1] if said else done.returncode}): see {log}, then try again.")
