"""deploy/compose.yaml brings up all of it from the images, held as in Kubernetes, and the story plays."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import nullcontext, suppress
from functools import cached_property
from typing import Any
from urllib.request import urlopen

import amqp
import pytest
import yaml
from amqp.exceptions import PreconditionFailed

from scripts import asked, compose, engine, parts, ports
from scripts.place import PROJECT, Place, write_private
from scripts.receiver import Received
from scripts.sign_in import url
from tests.journeys import test_a_goal_agreed_is_heard_everywhere as story
from tests.journeys.people import Platform, until

pytestmark = pytest.mark.slow
PUBLISHED = {"mongo": 27017, "rabbitmq": 5672, "management": 15672}
RECORDER = """
import http.server, json, sys
class Recorder(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        print(json.dumps([body, {name.lower(): value for name, value in self.headers.items()}]), flush=True)
        self.send_response(204)
        self.end_headers()
http.server.HTTPServer(("127.0.0.1", 59000), Recorder).serve_forever()
"""
endpoint = story.endpoint


class Compose:
    """All of it, under a name and ports of this run's own."""

    def __init__(self, place: Place, version: str) -> None:
        self.place = place
        # This copy's name, so that the next run ends what a killed one has left.
        self.project = compose.Project(
            f"{compose.named(PROJECT)}-test", place.folder("secrets") / "compose.env"
        )
        usual = PUBLISHED | {
            part: port for part, port in parts.usual_ports().items() if part in parts.services()
        }
        at = ports.choose(place, usual, {})
        place.remember(ports=at)
        settings = {f"TANDEM_{name.upper()}_PORT": port for name, port in at.items()}
        settings |= {"TANDEM_VERSION": version, "TANDEM_ISSUER": f"http://127.0.0.1:{at['practices']}"}
        settings |= {"TANDEM_MAIL": place.folder("mail"), "TANDEM_MAIL_USER": f"{os.getuid()}:{os.getgid()}"}
        compose.write_settings(self.project.settings, settings)

    def container(self, service: str) -> str:
        return self.containers[service]["Id"]

    @cached_property
    def containers(self) -> dict[str, Any]:
        label = f"label=com.docker.compose.project={self.project.name}"
        ids = engine.run("ps", "-aq", "--filter", label).stdout.split()
        found = json.loads(engine.run("inspect", *ids).stdout)
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    @property
    def administrator(self) -> dict[str, str]:
        password = compose.read_settings(self.project.settings)["TANDEM_RABBITMQ_PASSWORD"]
        host = f"127.0.0.1:{self.place.read()['ports']['rabbitmq']}"
        return {"host": host, "userid": "administrator", "password": password}

    def answers(self, service: str) -> bool:
        with suppress(OSError), urlopen(url(self.place, service, "/openapi.json"), timeout=5) as answer:
            return bool(answer.status == 200)
        return False

    def sample(self) -> dict[str, Any]:
        command = ("python", "-m", "services.practices", "sample")
        done = engine.run("exec", self.container("practices-web"), *command)
        # Where signing in finds the authenticators that it says.
        write_private(self.place.sample, done.stdout)
        return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def compose_up(built: Mapping[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    started = Compose(
        Place(tmp_path_factory.mktemp("compose") / "state"), built["practices"].partition(":")[2]
    )
    started.project.down("-v", grace=1)
    try:
        started.project.up()
        until(lambda: all(map(started.answers, parts.services())), seconds=60)
        yield started
    finally:
        ports.release(started.place)
        started.project.down("-v", grace=1)


@pytest.fixture(scope="module")
def running(compose_up: Compose) -> Platform:
    people = Platform(compose_up.place, compose_up.sample(), "tandem_")
    people.await_sample()
    return people


@pytest.fixture
def listening(compose_up: Compose) -> Iterator[tuple[str, Received]]:
    """A receiver in the sender's own network, where 127.0.0.1 is the sender's machine."""
    sender = compose_up.containers["partners-sender"]
    network = ("--network", f"container:{sender['Id']}")
    python = ("--entrypoint", "python", sender["Config"]["Image"], "-c", RECORDER)
    recorder = f"{compose_up.project.name}-recorder"
    engine.run("rm", "-f", recorder)  # of a run that was killed
    engine.run("run", "-d", "--rm", "--name", recorder, *network, *python)
    received = Received()
    follow = ["docker", "logs", "-f", recorder]
    with subprocess.Popen(follow, env=asked.plain(), stdout=subprocess.PIPE) as followed:

        def read() -> None:
            for line in followed.stdout or ():
                received.take(*json.loads(line))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            yield "http://127.0.0.1:59000", received
        finally:
            engine.run("rm", "-f", recorder)
            reader.join()


def test_the_story(running: Platform, endpoint: story.Verified) -> None:
    story.test_the_story(running, endpoint)


def test_every_process_is_healthy(compose_up: Compose) -> None:
    names = [part.name for part in parts.parts()]

    def health(name: str) -> str:
        asked_for = ("inspect", "-f", "{{.State.Health.Status}}", compose_up.container(name))
        return engine.run(*asked_for).stdout.strip()

    until(lambda: {health(name) for name in names} == {"healthy"}, seconds=60)


def test_ours_run_as_nobody_with_no_capability_and_can_write_nowhere(compose_up: Compose) -> None:
    ours = {
        name for name, one in compose_up.containers.items() if one["Config"]["Image"].startswith("tandem-")
    }
    assert ours == compose_up.containers.keys() - {"mongodb", "rabbitmq"}
    for name in ours:
        about, held = compose_up.containers[name]["Config"], compose_up.containers[name]["HostConfig"]
        assert about["User"].partition(":")[0] == "10001" or name == "mailbox"
        assert (held["ReadonlyRootfs"], held["CapDrop"], held["Privileged"]) == (True, ["ALL"], False)
        assert "no-new-privileges:true" in held["SecurityOpt"]


def test_the_mailbox_may_write_to_a_volume_of_its_own(built: Mapping[str, str]) -> None:
    options = ("--rm", "--read-only", "--cap-drop", "ALL", "-v", "/mail", "--entrypoint", "touch")

    done = engine.run("run", *options, built["mailbox"], "/mail/letter")

    assert done.returncode == 0, done.stderr


def test_nothing_is_open_to_the_network(compose_up: Compose) -> None:
    bound = [
        where["HostIp"]
        for one in compose_up.containers.values()
        for ports in (one["HostConfig"]["PortBindings"] or {}).values()
        for where in ports
    ]
    assert len(bound) == len(PUBLISHED) + len(parts.services())
    assert set(bound) == {"127.0.0.1"}


def test_what_only_prepared_has_ended_well(compose_up: Compose) -> None:
    prepared = [f"{service}-prepare" for service in parts.services()]
    for name in ("mongodb-initiate", *prepared):
        state = compose_up.containers[name]["State"]
        assert (state["Status"], state["ExitCode"]) == ("exited", 0)


@pytest.mark.parametrize(("size", "taken"), [(200_000, True), (300_000, False)])
def test_the_broker_takes_no_event_that_is_too_large(compose_up: Compose, size: int, taken: bool) -> None:
    with amqp.Connection(**compose_up.administrator, confirm_publish=True) as connection:
        channel = connection.channel()
        queue, *_ = channel.queue_declare(exclusive=True)

        with (
            nullcontext() if taken else pytest.raises(PreconditionFailed, match="larger than configured max")
        ):
            channel.basic_publish(amqp.Message(bytes(size)), routing_key=queue)


def test_every_part_of_every_service_is_there() -> None:
    """Needs no engine: a service added later must not be forgotten here."""
    services = yaml.safe_load(compose.FILE.read_text())["services"]

    servers = {"mongodb", "mongodb-initiate", "rabbitmq", "mailbox"}
    wanted = {part.name for part in parts.parts()} | {f"{service}-prepare" for service in parts.services()}
    assert services.keys() == servers | wanted
    for part in parts.parts():
        about = services[part.name]
        assert about["command"] == [part.kind]
        assert about["image"].startswith(f"tandem-{part.service}:")
        assert about["healthcheck"]
        assert about["depends_on"].keys() == {f"{service}-prepare" for service in parts.services()}
