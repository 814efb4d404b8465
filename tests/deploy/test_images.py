"""Each image runs as the manifests run it, holds its own service and no more, and says what it is made of."""

import base64
import json
import re
import stat
import subprocess
import tomllib
import uuid
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from pymongo import MongoClient

from scripts import engine as docker
from scripts import images, manifests, parts, policy, ports
from scripts.parts import Part
from scripts.place import PROJECT, Place
from scripts.servers import temporary
from scripts.servers.found import Servers
from scripts.trouble import Trouble
from scripts.waiting import until
from tests.deploy import looking

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("engine")]

AS_IN_A_POD = (
    *("--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
    *("--tmpfs", "/tmp:size=16m,noexec,nosuid"),
)
MOST_ADDED = 60_000_000
SERVICES = parts.services()
PARTS = [pytest.param(part, id=part.name) for part in parts.parts()]
NOWHERE = {
    "TANDEM_ENVIRONMENT": "development",
    "TANDEM_MONGO_URL": "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200",
    "TANDEM_AMQP_URL": "amqp://127.0.0.1:9//",
    "TANDEM_ISSUER": "http://127.0.0.1:9",
    "TANDEM_JWKS_URL": "http://127.0.0.1:9/",
    "TANDEM_SECRET_KEY": base64.b64encode(bytes(32)).decode(),
    "TANDEM_MASTER_KEY": base64.b64encode(bytes(96)).decode(),
    "TANDEM_SMTP_URL": "smtp://127.0.0.1:9",
    "TANDEM_CONTACT_PUBLIC_KEY": base64.b64encode(bytes(32)).decode(),
    "TANDEM_CONTACT_PRIVATE_KEY": base64.b64encode(bytes(32)).decode(),
    "TANDEM_MAIL_FROM": "tandem@example.org",
}


@dataclass(frozen=True)
class Inside:
    """What is in a container of one image."""

    files: dict[str, int]
    distributions: dict[str, str]
    wrote: list[str]


@pytest.fixture(scope="module")
def inside() -> Callable[..., Inside]:
    code = Path(looking.__file__).read_text()

    @cache
    def look(image: str, *options: str) -> Inside:
        return Inside(
            **json.loads(run(image, "-c", code, options=("--entrypoint", "python", *options)).stdout)
        )

    return look


@pytest.fixture(scope="module")
def servers(engine: None) -> Iterator[Servers]:
    """In containers, whatever other tests use: where these share a broker, its queues are the journeys'."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_SERVERS", "containers")
        with temporary.servers() as started:
            yield started


@pytest.fixture(scope="module")
def settings(servers: Servers, built: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A copy of the platform, all of it prepared by its images."""
    place = Place(tmp_path_factory.mktemp("platform") / "state")
    place.remember(ports=ports.choose(place, parts.usual_ports(), {}))
    place.remember(servers={"mongo_url": servers.mongo_url, "amqp_url": servers.amqp_url})
    prefix = f"test_images_{uuid.uuid4().hex[:6]}_"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TANDEM_DATABASE_PREFIX", prefix)
        for service in SERVICES:
            run(built[service], "prepare", options=real(place, service))
        yield place
    ports.release(place)
    with MongoClient[Any](servers.mongo_url, timeoutMS=5000) as client:
        for service in SERVICES:
            client.drop_database(prefix + service)


@pytest.mark.parametrize("part", PARTS)
def test_a_process_of_it_runs_as_nobody_who_may_nothing_and_ends_when_told(
    built: Mapping[str, str], settings: Place, part: Part
) -> None:
    name = f"tandem-test-{uuid.uuid4().hex[:12]}"
    port = settings.read()["ports"][part.metrics]
    options = ["--detach", "--name", name, *AS_IN_A_POD, *real(settings, part.service)]
    started = docker.run("run", *options, built[part.service], part.kind)
    try:
        late = until({part.name: lambda: lives(port) or not_running(name)}, 30.0)
        status = docker.run("exec", name, "cat", "/proc/1/status").stdout
        docker.run("stop", "--time", "25", name)
        ended = docker.run("inspect", "-f", "{{.State.ExitCode}} {{.State.OOMKilled}}", name).stdout.strip()
    finally:
        said = docker.run("logs", name)
        docker.run("rm", "--force", name)

    assert (late, started.returncode) == ([], 0), said.stderr
    known = dict(re.findall(r"^(\w+):\s+(.*)$", status, re.MULTILINE))
    user = as_the_manifests_say("runAsUser")
    assert known["Name"].startswith("python"), said.stderr
    assert known["Uid"].split() == [str(user)] * 4
    assert known["Gid"].split() == [str(as_the_manifests_say("runAsGroup"))] * 4
    assert {int(known[which], 16) for which in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {0}
    assert (known["NoNewPrivs"], known["Seccomp"]) == ("1", "2")
    assert ended == "0 false", said.stderr


@pytest.mark.parametrize("service", SERVICES)
def test_it_holds_its_own_service_and_no_more(
    built: Mapping[str, str], inside: Callable[..., Inside], service: str
) -> None:
    code = {path for path in inside(built[service]).files if path.startswith("/app/")}
    ours = {path for path in code if not path.startswith("/app/.venv")}

    expected = {f"/app/{path}" for path in with_folders(held_by(service))} | {"/app/service"}
    assert {path for path in ours if "__pycache__" not in path} == expected
    assert {compiled(path) for path in code if path.endswith(".py") and "/bin/" not in path} <= code


@pytest.mark.parametrize("service", SERVICES)
def test_all_that_it_adds_is_for_reading(
    built: Mapping[str, str], inside: Callable[..., Inside], service: str
) -> None:
    added = {path: mode for path, mode in inside(built[service]).files.items() if path.startswith("/app")}

    loose = stat.S_ISUID | stat.S_ISGID | stat.S_IWGRP | stat.S_IWOTH
    assert [path for path, mode in added.items() if mode & loose and not stat.S_ISLNK(mode)] == []
    assert [path for path, mode in added.items() if not mode & stat.S_IROTH] == []


def test_nothing_but_its_folder_is_added_to_the_base(
    built: Mapping[str, str], inside: Callable[..., Inside]
) -> None:
    # As root, who owns what nobody else may look into.
    base, image = (inside(name, "--user", "0").files for name in (images.base(), built["partners"]))

    assert {path for path in image.keys() ^ base.keys() if not path.startswith("/app")} == set()


@pytest.mark.parametrize("service", SERVICES)
def test_only_tmp_takes_a_file(built: Mapping[str, str], inside: Callable[..., Inside], service: str) -> None:
    assert set(inside(built[service]).wrote) - {"/dev/shm"} == {"/tmp"}


@pytest.mark.parametrize("service", SERVICES)
def test_what_is_installed_is_what_the_lock_names_for_services(
    built: Mapping[str, str], inside: Callable[..., Inside], service: str
) -> None:
    assert inside(built[service]).distributions == locked()


@pytest.mark.parametrize("service", SERVICES)
def test_it_is_small_and_shares_all_but_its_code(built: Mapping[str, str], service: str) -> None:
    layers = [of_image(image, "{{json .RootFS.Layers}}") for image in (built[service], built[SERVICES[0]])]

    assert images.added(built[service]) <= MOST_ADDED
    assert layers[0][:-1] == layers[1][:-1]


@pytest.mark.parametrize("service", SERVICES)
def test_it_says_what_it_is_a_build_of(built: Mapping[str, str], service: str) -> None:
    labels = of_image(built[service], "{{json .Config.Labels}}")

    prefix = "org.opencontainers.image."
    said = {name.removeprefix(prefix): value for name, value in labels.items() if name.startswith(prefix)}
    commit = images.commit()
    assert said.pop("description")
    assert said == {
        "title": f"tandem-{service}",
        "version": images.version(),
        "revision": commit["REVISION"],
        "created": commit["CREATED"],
        "base.name": f"docker.io/library/{images.base()}",
    }
    assert not said["created"] or datetime.fromisoformat(said["created"]).tzinfo


@pytest.mark.parametrize("service", SERVICES)
def test_it_listens_to_the_world_outside_its_container(built: Mapping[str, str], service: str) -> None:
    config = of_image(built[service], "{{json .Config}}")

    assert "TANDEM_HOST=0.0.0.0" in config["Env"]
    assert config["User"] == f"{as_the_manifests_say('runAsUser')}:{as_the_manifests_say('runAsGroup')}"


@pytest.mark.parametrize("service", SERVICES)
def test_without_settings_it_says_which(built: Mapping[str, str], service: str) -> None:
    done = run(built[service], "prepare", fails=True)

    assert done.returncode == 1
    for name in ("TANDEM_MONGO_URL", "TANDEM_AMQP_URL", "TANDEM_SECRET_KEY", "TANDEM_MASTER_KEY"):
        assert f"{service}: {name} is not set: set it, or {name}_FILE" in done.stderr
    assert "Traceback" not in done.stderr


def test_without_servers_each_process_says_so(built: Mapping[str, str]) -> None:
    def start(part: Part) -> "subprocess.CompletedProcess[str]":
        return run(built[part.service], part.kind, options=variables(NOWHERE), fails=True)

    with ThreadPoolExecutor() as together:
        ended = {part: together.submit(start, part) for part in parts.parts() if part.service == "partners"}

    for part, done in ended.items():
        assert done.result().returncode == 1
        assert done.result().stderr.splitlines()[-1].startswith(f"{part.service}: MongoDB cannot be used")
        assert "Traceback" not in done.result().stderr


def test_no_image_is_built_of_no_service() -> None:
    done = docker.run("build", "--force-rm", str(PROJECT))

    assert done.returncode != 0
    assert "Say which service" in done.stdout + done.stderr


def test_an_image_that_cannot_be_built_is_told() -> None:
    with pytest.raises(Trouble, match=r"tandem-nothing:x could not be built \(.*services/nothing.*see .*log"):
        images.build("nothing", "x")


def test_only_what_the_dockerfile_takes_leaves_this_machine(tmp_path: Path) -> None:
    """The ignore file lets nothing else of a copy that is in use go to the engine."""
    for name in (".env", ".git/config", ".tandem/secrets/key", ".venv/bin/python", "build/x", "tests/x.py"):
        made(tmp_path / name)
    for name in (
        "scripts/run",
        "scripts/uv.txt",
        "shared/x.py",
        "shared/__pycache__/x.pyc",
        "services/g/x.py",
    ):
        made(tmp_path / name)
    made(tmp_path / ".dockerignore", (PROJECT / ".dockerignore").read_text())
    made(tmp_path / "Dockerfile", f"FROM {images.base()}\nCOPY . /context\n")
    image = f"tandem-test-context-{uuid.uuid4().hex[:8]}"

    docker.run("build", "--tag", image, str(tmp_path))
    held = docker.run("run", "--rm", image, "find", "/context", "-type", "f").stdout.split()
    docker.run("rmi", image)

    assert set(held) == {f"/context/{name}" for name in ("scripts/uv.txt", "shared/x.py", "services/g/x.py")}


def run(
    image: str, *words: str, options: tuple[str, ...] = (), fails: bool = False
) -> "subprocess.CompletedProcess[str]":
    done = docker.run("run", "--rm", *AS_IN_A_POD, *options, image, *words)
    assert fails or done.returncode == 0, done.stderr
    return done


def real(place: Place, service: str) -> tuple[str, ...]:
    """Options with the settings of one service, whose servers are on this machine's loopback."""
    given = {name: value for name, value in parts.environment(place, service).items() if "TANDEM_" in name}
    for name in [name for name in given if name.endswith("_FILE")]:
        given[name.removesuffix("_FILE")] = Path(given.pop(name)).read_text()
    return "--network", "host", *variables(given | {"TANDEM_HOST": "127.0.0.1"})


def variables(given: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for name, value in given.items() for word in ("--env", f"{name}={value}"))


def lives(port: int) -> bool:
    try:
        with urlopen(f"http://127.0.0.1:{port}/livez", timeout=1) as answer:
            return bool(answer.status == 200)
    except (URLError, OSError):
        return False


def not_running(name: str) -> bool:
    return docker.run("inspect", "-f", "{{.State.Running}}", name).stdout.strip() != "true"


def of_image(image: str, part: str) -> Any:
    return json.loads(docker.run("image", "inspect", "-f", part, image).stdout)


def as_the_manifests_say(setting: str) -> int:
    pods = [
        one["spec"]["template"]["spec"]["securityContext"][setting]
        for one in manifests.written(manifests.K8S / "platform")
        if one["kind"] in policy.WORKLOADS
    ]
    (value,) = set(pods)
    return int(value)


def held_by(service: str) -> Iterator[Path]:
    """Files of this copy that belong into an image."""
    yield Path("services/__init__.py")
    for folder in ("shared", f"services/{service}", *(["contracts"] if service == "partners" else [])):
        for file in (PROJECT / folder).rglob("*"):
            if file.is_file() and "__pycache__" not in file.parts:
                yield file.relative_to(PROJECT)


def with_folders(files: Iterator[Path]) -> set[Path]:
    return {path for file in files for path in (file, *file.parents)} - {Path()}


def compiled(path: str) -> str:
    folder, _, name = path.rpartition("/")
    return f"{folder}/__pycache__/{name.removesuffix('.py')}.cpython-313.pyc"


@cache
def locked() -> dict[str, str]:
    """What services need of uv.lock, for Linux and CPython, with what that needs in turn."""
    known = {one["name"]: one for one in tomllib.loads((PROJECT / "uv.lock").read_text())["package"]}
    found: dict[str, str] = {}
    wanted = ["tandem"]
    while wanted:
        one = known[wanted.pop()]
        if one["name"] not in found:
            found[one["name"]] = one["version"]
            wanted += [need["name"] for need in one.get("dependencies", ())]
    del found["tandem"]
    return found


def made(file: Path, text: str = "") -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
