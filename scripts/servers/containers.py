"""MongoDB and RabbitMQ in two containers of the Docker engine, labelled with their state folder."""

import hashlib
import json
import secrets
import shutil
import subprocess
from collections.abc import Mapping

from scripts import asked
from scripts.place import Place, write_private
from scripts.servers import answers
from scripts.servers.found import Servers
from scripts.trouble import Trouble

IMAGES = {"mongo": "mongo:7.0", "rabbit": "rabbitmq:3.13-management"}
ANSWER_SECONDS, PULL_SECONDS = 5.0, 60.0


def missing() -> str | None:
    """Why containers cannot be used here; None where they can, their images pulled."""
    if shutil.which("docker") is None:
        return "there is no docker"
    if not _answers("info", seconds=ANSWER_SECONDS):
        return "no Docker engine answers"
    for image in IMAGES.values():
        if not _answers("image", "inspect", image) and not _answers(
            "pull", "-q", image, seconds=PULL_SECONDS
        ):
            return f"the image {image} is not to be had"
    return None


def start(place: Place, ports: Mapping[str, int]) -> Servers:
    """Start what does not run. The replica set names its member as seen from outside, so the ports agree."""
    mongo, rabbit = str(ports["mongo"]), str(ports["rabbit"])
    password = _password(place)
    _run(
        place,
        "mongo",
        ["-p", f"127.0.0.1:{mongo}:{mongo}", "-v", f"{_name(place, 'mongo')}:/data/db"],
        ["--replSet", "rs0", "--port", mongo, "--bind_ip_all", "--wiredTigerCacheSizeGB", "0.5"],
    )
    files = ["-v", f"{_name(place, 'rabbit')}:/var/lib/rabbitmq"]
    user = ["-e", "RABBITMQ_DEFAULT_USER=tandem", "-e", f"RABBITMQ_DEFAULT_PASS={password}"]
    _run(place, "rabbit", ["-p", f"127.0.0.1:{rabbit}:5672", "--hostname", "tandem", *files, *user], [])
    amqp_url = f"amqp://tandem:{password}@127.0.0.1:{rabbit}//"
    host = f"127.0.0.1:{mongo}"
    ready = {"mongo": answers.one_node_replica_set(host), "rabbit": lambda: answers.amqp_broker(amqp_url)}
    return Servers("containers", f"mongodb://{host}/?replicaSet=rs0", amqp_url, ready)


def is_running(place: Place, server: str) -> bool:
    state = _docker("inspect", "-f", "{{json .State.Running}}", _name(place, server))
    return state.returncode == 0 and json.loads(state.stdout) is True


def stop(place: Place) -> None:
    """Remove our containers; their data stays in volumes."""
    found = _docker("ps", "-aq", "--filter", f"label={_label(place)}").stdout.split()
    if found:
        _docker("stop", "-t", "20", *found)
        _docker("rm", "-f", *found)


def delete(place: Place) -> None:
    stop(place)
    _docker("volume", "rm", "-f", *(_name(place, server) for server in IMAGES))


def _run(place: Place, server: str, options: list[str], command: list[str]) -> None:
    if is_running(place, server):
        return
    name = _name(place, server)
    _docker("rm", "-f", name)
    done = _docker("run", "-d", "--name", name, "--label", _label(place), *options, IMAGES[server], *command)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise Trouble(
            f"Docker did not start {IMAGES[server]} ({said[-1]}): see to that, or set TANDEM_SERVERS=local."
        )


def _name(place: Place, server: str) -> str:
    return f"tandem-{hashlib.sha256(str(place.path).encode()).hexdigest()[:8]}-{server}"


def _label(place: Place) -> str:
    return f"tandem.state={place.path}"


def _password(place: Place) -> str:
    file = place.folder("secrets") / "rabbit"
    if not file.exists():
        write_private(file, secrets.token_urlsafe(24))
    return file.read_text()


def _answers(*words: str, seconds: float = ANSWER_SECONDS) -> bool:
    return _docker(*words, seconds=seconds).returncode == 0


def _docker(*words: str, seconds: float = 60.0) -> subprocess.CompletedProcess[str]:
    command = ["docker", *words]
    try:
        return subprocess.run(  # noqa: S603
            command, env=asked.plain(), capture_output=True, text=True, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired:
        return subprocess.CompletedProcess(command, 1, "", f"docker {words[0]} took over {seconds:.0f} s")
