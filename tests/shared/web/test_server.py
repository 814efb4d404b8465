"""The real server process: it answers, refuses what it cannot read with problems, and ends when told."""

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from tests.figures import Figures
from tests.free_ports import free_port
from tests.issuer import Issuer

START = """
import sys
from dataclasses import replace
from types import SimpleNamespace
from shared import logs
from shared.web.server import serve
from shared.web.allows import allows
from shared.web.blueprint import Blueprint
from tests.shared.web.toy import SETTINGS, NoteBody, api
logs.set_up("notes", "web")
anybody = Blueprint("anybody", __name__)

@anybody.post("/anybody")
@allows("anybody.says", public=True)
@anybody.arguments(NoteBody)
@anybody.response(204)
def say(body): ...

service = SimpleNamespace(name="notes", title="Notes", apis=(api, anybody), standings=lambda *_: set())
PORT, METRICS_PORT = int(sys.argv[1]), int(sys.argv[2])
nowhere = "mongodb://127.0.0.1:9/?serverSelectionTimeoutMS=200"
settings = replace(
    SETTINGS, mongo_url=nowhere, jwks_url="http://127.0.0.1:9/", port=PORT, metrics_port=METRICS_PORT
)
serve(service, settings)
"""


ASKING = b"POST /anybody HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
CHUNKED = ASKING + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Running:
    process: subprocess.Popen[str]
    port: int
    metrics_port: int

    def get(self, path: str, private: bool = False, **headers: str) -> tuple[int, dict[str, str], bytes]:
        request = Request(
            f"http://127.0.0.1:{self.metrics_port if private else self.port}{path}", headers=headers
        )
        try:
            with urlopen(request, timeout=10) as answer:
                return answer.status, dict(answer.headers), answer.read()
        except HTTPError as error:
            return error.code, dict(error.headers), error.read()

    def say(self, raw: bytes) -> tuple[bytes, dict[str, str]]:
        """The status line and the JSON body of the answer to these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=10) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while received := connection.recv(65536):
                answer += received
        head, _, body = answer.partition(b"\r\n\r\n")
        return head.splitlines()[0], json.loads(body)


def start(port: int, metrics_port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", START, str(port), str(metrics_port)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    server = Running(start(free_port(), free_port()), 0, 0)
    server.port, server.metrics_port = (int(text) for text in server.process.args[-2:])  # type: ignore[index]
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            server.get("/livez", private=True)
            break
        except OSError:
            time.sleep(0.05)
    yield server
    server.process.kill()
    server.process.communicate()


def test_it_answers_and_counts(running: Running) -> None:
    assert running.get("/v1/openapi.json")[0] == 200
    assert running.get("/livez", private=True)[0] == 200
    assert b'route="/v1/openapi.json",status="200"' in running.get("/metrics", private=True)[2]


def test_the_port_for_the_platform_is_another(running: Running) -> None:
    assert running.get("/v1/openapi.json", private=True)[0] == 404
    assert [running.get(path)[0] for path in ("/metrics", "/livez", "/readyz")] == [404, 404, 404]


def test_what_is_no_request_is_counted_too(running: Running) -> None:
    unread = {"method": "other", "route": "none", "status": "400"}
    before = Figures.at(running.metrics_port)

    running.say(b"secret nonsense\r\n\r\n")

    assert Figures.at(running.metrics_port).since(before, "tandem_http_requests_total", **unread) == 1


def test_it_is_not_ready_without_its_database_and_the_keys_of_tokens(running: Running) -> None:
    assert running.get("/readyz", private=True)[::2] == (503, b'{"database":false,"keys":false}')


def test_tokens_cannot_be_verified_without_keys(running: Running) -> None:
    status, headers, body = running.get("/v1/notes/n1", Authorization=f"Bearer {Issuer().token()}")

    assert (status, headers["Retry-After"]) == (503, "5")
    assert json.loads(body)["type"] == "/problems/try-later"


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20000 + b"\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\n" + b"X: a\r\n" * 200 + b"\r\n", 431),
        (b"secret nonsense\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: secret\r\n\r\n", 501),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (CHUNKED + b"zz\r\n", 400),
        (CHUNKED + b"-5\r\n", 400),
        (CHUNKED + b"11180\r\n" + b" " * 70_016 + b"\r\n0\r\n\r\n", 413),
        (ASKING + b"Content-Length: 40\r\n\r\n" + b'{"text": "cut off"}', 400),
        (ASKING + b"Content-Length: 40\r\n\r\n" + b'{"tex', 400),
    ],
    ids=[
        "long line",
        "long header",
        "many headers",
        "nonsense",
        "version",
        "coding",
        "two lengths",
        "no chunk",
        "less than no chunk",
        "large in chunks",
        "cut off where it is JSON",
        "cut off where it is not",
    ],
)
def test_what_is_no_request_is_a_problem_too(running: Running, raw: bytes, status: int) -> None:
    line, problem = running.say(raw)

    assert line.startswith(f"HTTP/1.1 {status}".encode())
    assert problem["status"] == status


def test_two_processes_and_no_more_memory_than_promised(running: Running) -> None:
    tree = [
        psutil.Process(running.process.pid),
        *psutil.Process(running.process.pid).children(recursive=True),
    ]

    assert len(tree) == 2
    assert sum(process.memory_full_info().pss for process in tree) < 80 * 2**20


def test_taken_port_is_one_sentence(running: Running) -> None:
    for ports, variable in (
        ((running.port, free_port()), "TANDEM_PORT"),
        ((free_port(), running.metrics_port), "TANDEM_METRICS_PORT"),
    ):
        process = start(*ports)
        _, said = process.communicate(timeout=20)

        assert process.returncode == 1
        assert said.count("\n") == 1
        assert variable in said


def test_it_ends_when_told_and_wrote_json_without_words_of_the_caller(running: Running) -> None:
    running.process.send_signal(signal.SIGTERM)
    told, errors = running.process.communicate(timeout=20)

    assert running.process.returncode == 0
    assert errors == ""
    lines = [json.loads(line) for line in told.splitlines()]
    assert any(line["message"] == "Request answered" for line in lines)
    assert "secret" not in told
