"""Where servers come from: what the caller says, then URLs, then Docker where it can be used, else local."""

from pathlib import Path

import pytest

from scripts import engine
from scripts.place import Place
from scripts.servers import choice
from scripts.trouble import Trouble

URLS = {"TANDEM_MONGO_URL": "mongodb://db.example", "TANDEM_AMQP_URL": "amqp://broker.example"}
NAMES = ("TANDEM_SERVERS", *URLS)


@pytest.fixture(autouse=True)
def asked_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A stand-in for the docker command, as the only program there is; it answers as its file says."""
    program = tmp_path / "docker"
    monkeypatch.setenv("PATH", str(tmp_path))
    return program


def _answers(program: Path, script: str) -> None:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


def test_without_docker_servers_are_local(docker: Path) -> None:
    assert str(choice.choose()) == "local, because there is no docker"


def test_without_an_engine_servers_are_local(docker: Path) -> None:
    _answers(docker, "exit 1")

    assert str(choice.choose()) == "local, because no Docker engine answers"


def test_without_an_image_servers_are_local(docker: Path) -> None:
    _answers(docker, '[ "$1" = info ]')

    assert str(choice.choose()) == "local, because the image mongo:7.0 is not to be had"


def test_an_image_that_comes_too_late_is_not_to_be_had(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "PULL_SECONDS", 0.2)
    _answers(docker, '[ "$1" = pull ] && exec /bin/sleep 30\n[ "$1" = info ]')

    assert choice.choose().way == "local"


def test_with_engine_and_images_servers_are_containers(docker: Path) -> None:
    _answers(docker, "exit 0")

    assert choice.choose().way == "containers"


def test_named_servers_come_before_docker(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(docker, "exit 0")
    for name, value in URLS.items():
        monkeypatch.setenv(name, value)

    assert choice.choose().way == "urls"


def test_what_the_caller_says_decides(docker: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _answers(docker, "exit 0")
    monkeypatch.setenv("TANDEM_SERVERS", "local")

    assert str(choice.choose()) == "local, because TANDEM_SERVERS says so"


def test_a_copy_keeps_the_way_to_its_data(docker: Path, tmp_path: Path) -> None:
    _answers(docker, "exit 0")
    place = Place(tmp_path / "state")
    assert choice.again(place).way == "containers"

    place.remember(servers={"way": "local"})

    assert choice.again(place).way == "local"


@pytest.mark.parametrize("missing", ["no Docker engine answers", "there is no docker"])
def test_data_in_containers_is_not_left_silently(docker: Path, tmp_path: Path, missing: str) -> None:
    if missing == "no Docker engine answers":
        _answers(docker, "exit 1")
    place = Place(tmp_path / "state")
    place.remember(servers={"way": "containers"})
    assert choice.as_before(place) is None

    with pytest.raises(Trouble, match=f"data of this copy is in containers and {missing}: start Docker, or"):
        choice.again(place)


def test_the_way_to_other_data_is_taken_where_the_caller_says_so(
    docker: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place(tmp_path / "state")
    place.remember(servers={"way": "containers"})
    monkeypatch.setenv("TANDEM_SERVERS", "local")

    chosen = choice.again(place)

    assert chosen.way == "local"
    assert choice.leads_elsewhere(place, chosen)


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"TANDEM_SERVERS": "cloud"}, "set it to urls, containers or local"),
        ({"TANDEM_SERVERS": "urls"}, "set TANDEM_MONGO_URL and TANDEM_AMQP_URL"),
        ({"TANDEM_SERVERS": "containers"}, "there is no docker"),
        ({"TANDEM_MONGO_URL": "mongodb://db.example"}, "TANDEM_AMQP_URL is not"),
    ],
)
def test_what_cannot_be_is_trouble(
    docker: Path, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], sentence: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(Trouble, match=sentence):
        choice.choose()
