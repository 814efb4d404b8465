"""What a service's worker gives to its parts."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

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
