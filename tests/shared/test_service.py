"""What a service's worker gives to its parts, and what its commands say of servers that cannot be used."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from shared import logs
from shared.messaging import users as broker_users
from shared.service import Service
from shared.settings import Settings, variable
from shared.store import users as store_users
from shared.store.client import OPTIONS
from shared.store.lock.vault import KeyServiceAway, KeyServiceRefuses, Vault
from tests.shared.messaging.certificates import certificate, showing

PROGRAM = """
import os
from types import SimpleNamespace
from shared import service
from shared.settings import Settings

def timer(database, settings, me, stopping):
    print(me, os.getpid(), flush=True)
    stopping.wait()

made = service.Service(
    name="goals", title="", collections=(), apis=(), standings=lambda *_: set(),
    subscriber=SimpleNamespace(types=()), timers=(timer,),
)
service._worker(made, Settings.read("goals"))
"""


@pytest.fixture
def worker() -> Iterator[subprocess.Popen[str]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    given = {
        "MONGO_URL": "mongodb://127.0.0.1:1",
        "AMQP_URL": "amqp://127.0.0.1:1",
        "ISSUER": "http://x",
        "JWKS_URL": "http://x",
        "ENVIRONMENT": "development",
        "SECRET_KEY": "x" * 44,
        "MASTER_KEY": "x" * 128,
        "WORKER_METRICS_PORT": str(port),
    }
    environ = {**os.environ, **{f"TANDEM_{name}": value for name, value in given.items()}}
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", PROGRAM]
    with subprocess.Popen(command, env=environ, cwd=root, stdout=subprocess.PIPE, text=True) as started:
        yield started
        started.terminate()


def test_a_timer_is_told_its_keepers_name_which_the_next_keeper_inherits(
    worker: subprocess.Popen[str],
) -> None:
    assert worker.stdout
    me, keeper = worker.stdout.readline().split()

    os.kill(int(keeper), signal.SIGKILL)

    other, successor = worker.stdout.readline().split()
    assert other == me
    assert successor != keeper


AWAY = {
    "MONGO": "mongodb://goals:hunter2@127.0.0.1:1/",
    "AMQP": "amqp://goals:hunter2@127.0.0.1:1//",
    "ADMIN_MONGO": "mongodb://root:hunter2@127.0.0.1:1/",
    "ADMIN_AMQP": "amqp://root:hunter2@127.0.0.1:1//",
    "ADMIN_RABBITMQ": "http://root:hunter2@127.0.0.1:1",
}


def told(monkeypatch: pytest.MonkeyPatch, *command: str, **urls: str) -> str:
    """What the process says as it ends."""
    for setting in fields(Settings):
        monkeypatch.delenv(variable(setting), raising=False)
    given = {
        "ISSUER": "http://x",
        "ENVIRONMENT": "development",
        "SECRET_KEY": "x" * 44,
        "MASTER_KEY": "x" * 128,
    }
    given |= {"JWKS_URL": "http://x", **{f"{name}_URL": url for name, url in urls.items()}}
    for name, value in given.items():
        monkeypatch.setenv(f"TANDEM_{name}", value)
    monkeypatch.setitem(OPTIONS, "timeoutMS", 200)
    monkeypatch.setattr(sys, "argv", ["goals", *command])
    monkeypatch.setattr(logs, "set_up", lambda *_, **__: None)
    subscriber: Any = SimpleNamespace(types=())
    made = Service("goals", "", (), (), standings=lambda *_: set(), subscriber=subscriber)
    with pytest.raises(SystemExit) as ended:
        made.run()
    return str(ended.value.code)


def test_prepare_names_the_administrators_url_of_a_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = told(monkeypatch, "prepare", **AWAY)
    assert refused == (
        "goals: MongoDB cannot be used (ServerSelectionTimeoutError): see TANDEM_ADMIN_MONGO_URL."
    )

    # The users are there; what is left is to make the queues.
    monkeypatch.setattr(store_users, "make_user", lambda *_: None)
    monkeypatch.setattr(broker_users, "make_user", lambda *_: None)
    monkeypatch.setattr("shared.service.prepare", lambda *_: None)
    monkeypatch.setattr(Vault, "prepare", lambda _: None)
    refused = told(monkeypatch, "prepare", **AWAY)
    assert refused == "goals: RabbitMQ cannot be used (ConnectionRefusedError): see TANDEM_ADMIN_AMQP_URL."


def test_prepare_without_administrators_names_the_services_own_url(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    own = {name: AWAY[name] for name in ("MONGO", "AMQP")}
    monkeypatch.setattr("shared.service.prepare", lambda *_: None)
    monkeypatch.setattr(Vault, "prepare", lambda _: None)

    refused = told(monkeypatch, "prepare", **own)
    assert refused == "goals: RabbitMQ cannot be used (ConnectionRefusedError): see TANDEM_AMQP_URL."

    # Whose certificate nobody vouches for.
    with showing(certificate(tmp_path, "127.0.0.1")) as (port, _):
        refused = told(monkeypatch, "prepare", **{**own, "AMQP": f"amqps://goals:hunter2@127.0.0.1:{port}//"})
    assert refused == "goals: RabbitMQ cannot be used (SSLCertVerificationError): see TANDEM_AMQP_URL."


def test_a_command_names_the_services_own_url_of_a_mongodb_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = told(monkeypatch, "web", MONGO=AWAY["MONGO"], AMQP=AWAY["AMQP"])

    assert refused == "goals: MongoDB cannot be used (ServerSelectionTimeoutError): see TANDEM_MONGO_URL."


@pytest.mark.parametrize("error", [KeyServiceAway, KeyServiceRefuses])
def test_a_key_service_that_does_not_help_midway_is_told_in_its_own_sentence(
    monkeypatch: pytest.MonkeyPatch, error: type[Exception]
) -> None:
    def rewrap(_: Vault) -> Iterator[int]:
        yield 1
        raise error("The key management service does not answer.")

    monkeypatch.setattr(Vault, "require", lambda _: None)
    monkeypatch.setattr(Vault, "to_rewrap", lambda _: 2)
    monkeypatch.setattr(Vault, "rewrap", rewrap)

    refused = told(monkeypatch, "keys", "rewrap", MONGO=AWAY["MONGO"], AMQP=AWAY["AMQP"])

    assert refused == "goals: The key management service does not answer."


@pytest.mark.parametrize("to", ["", "#", "*", "goals.agreed", "Goals", "goals\n", "góals"])
def test_what_is_no_services_name_is_told_nothing_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], to: str
) -> None:
    code = told(monkeypatch, "republish", "--to", to, MONGO=AWAY["MONGO"], AMQP=AWAY["AMQP"])

    assert code == "2"
    assert "Invalid value for '--to': a service's name is lower-case letters" in capsys.readouterr().err


def test_a_services_name_is_taken(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    code = told(monkeypatch, "republish", "--to", "goals", MONGO=AWAY["MONGO"], AMQP=AWAY["AMQP"])

    assert code == "0"
    assert capsys.readouterr().out == "0 aggregates will tell their present state.\n"
