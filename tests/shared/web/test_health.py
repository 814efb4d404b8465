"""Health and metrics on a port of their own."""

import socket
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from shared.web import health


def ask(checks: dict[str, health.Check], path: str, alive: health.Check = lambda: True) -> tuple[int, bytes]:
    listener = health.listen("127.0.0.1", 0, "TANDEM_METRICS_PORT")
    url = f"http://127.0.0.1:{listener.getsockname()[1]}{path}"
    health.answer(listener, checks, alive)
    return fetch(url)


def fetch(url: str | Request) -> tuple[int, bytes]:
    try:
        with urlopen(url, timeout=5) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def _fails() -> bool:
    raise OSError("away")


def test_alive_whatever_the_checks_say() -> None:
    assert ask({"database": lambda: False}, "/livez") == (200, b'{"alive":true}')
    assert ask({}, "/livez", alive=lambda: False)[0] == 503


@pytest.mark.parametrize("check", [lambda: False, _fails])
def test_not_ready_while_a_check_fails(check: health.Check) -> None:
    assert ask({"queue": lambda: True, "database": check}, "/readyz") == (
        503,
        b'{"queue":true,"database":false}',
    )


def test_ready() -> None:
    assert ask({"database": lambda: True}, "/readyz?x=1")[0] == 200


def test_check_is_asked_once_in_two_seconds() -> None:
    asked: list[int] = []
    listener = health.listen("127.0.0.1", 0, "TANDEM_METRICS_PORT")
    health.answer(listener, {"database": lambda: bool(asked.append(1))})

    for _ in range(2):
        assert fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/readyz")[0] == 503
    assert len(asked) == 1


def test_metrics_are_prometheus_text() -> None:
    status, body = ask({}, "/metrics")

    assert status == 200
    assert b"tandem_http_requests_total" in body


@pytest.mark.parametrize("path", ["/", "/metrics/", "/v1/goals", "/v1/docs", "/livez/x", "/readyz.json"])
def test_other_paths_are_404(path: str) -> None:
    assert ask({}, path) == (404, b"")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods_are_not_known(method: str) -> None:
    listener = health.listen("127.0.0.1", 0, "TANDEM_METRICS_PORT")
    health.answer(listener, {})

    status, _ = fetch(Request(f"http://127.0.0.1:{listener.getsockname()[1]}/metrics", method=method))

    assert status == 501


def test_taken_port_is_told_in_a_sentence() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        with pytest.raises(health.PortTaken, match=f"Port {port} .* TANDEM_METRICS_PORT"):
            health.listen("127.0.0.1", port, "TANDEM_METRICS_PORT")
