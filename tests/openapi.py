"""schemathesis against a running API or a WSGI application: every check on, bounded in cases and time."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from werkzeug.serving import WSGIRequestHandler, make_server


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The address at which this WSGI application answers meanwhile."""
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()


def findings(
    url: str,
    headers: Mapping[str, str],
    folder: Path,
    parameters: Mapping[str, str] | None = None,
    cases: int = 20,
    seconds: int = 240,
    seed: int = 7,
) -> str:
    """What schemathesis finds wrong with the API at `url`; nothing is an empty text.

    `parameters` are ids that are there, by path variable: without them nearly all requests end as 404,
    with them nearly none, so run it both ways. `cases` are for each operation and phase; `folder` takes
    the configuration.
    """
    with urlopen(f"{url}/v1/openapi.json") as answer:
        document = json.load(answer)
    (folder / "schemathesis.toml").write_text(_configuration(document, headers, parameters or {}))
    command = [
        *(sys.executable, "-m", "schemathesis.cli"),
        *("--config-file", str(folder / "schemathesis.toml"), "run", f"{url}/v1/openapi.json"),
        *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
        *("--max-examples", str(cases), "--seed", str(seed), "--generation-database", "none"),
        *("--max-failures", "20", "--warnings", "off", "--no-color", "--continue-on-failure"),
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "tests.schemathesis_hooks",
        "PYTHONPATH": str(Path(__file__).parent.parent),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    try:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return f"schemathesis was not done within {seconds} s."
    return "" if done.returncode == 0 else done.stdout + done.stderr


def _configuration(
    document: Mapping[str, Any], headers: Mapping[str, str], parameters: Mapping[str, str]
) -> str:
    lines = ["[headers]", *(f"{json.dumps(name)} = {json.dumps(value)}" for name, value in headers.items())]
    lines += ["[parameters]"]
    lines += [f"{json.dumps(f'path.{name}')} = {json.dumps(value)}" for name, value in parameters.items()]
    # The entitlement comes before the headers, so a missing one may show as 404; a missing If-Match is 428.
    lines += ["[checks.missing_required_header]", f"expected-statuses = {[*_MISSING, '404', '428']}"]
    lines += ["[checks.negative_data_rejection]", f"expected-statuses = {[*_NEGATIVE, '412', '413', '414']}"]
    for path, method, accepted in _beyond_schema(document):
        lines += ["[[operations]]", f"include-name = {json.dumps(f'{method.upper()} {path}')}"]
        lines += [f"checks.positive_data_acceptance.expected-statuses = {_POSITIVE + accepted}"]
    return "\n".join(lines) + "\n"


def _beyond_schema(document: Mapping[str, Any]) -> Iterator[tuple[str, str, list[str]]]:
    """Operations that rightly refuse what fits: made-up versions (412), cursors and rules (422), codes (400).

    What no schema says: a recurrence rule's sense, and that a client is named in one of two ways.
    """
    for path, item in document["paths"].items():
        for method, operation in item.items():
            names = json.dumps(operation) if method != "parameters" else ""
            accepted = ["412"] * ("parameters/IfMatch" in names)
            accepted += ["422"] * any(name in names for name in _BEYOND)
            # The token endpoint: RFC 6749, 5.2.
            accepted += ["400"] * ("application/x-www-form-urlencoded" in names)
            if accepted:
                yield path, method, accepted


_BEYOND = ('"cursor"', "/SeriesBody", "/LookBody")
_MISSING = ["400", "401", "403", "406", "415", "422"]
_NEGATIVE = ["400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx"]
_POSITIVE = ["2xx", "3xx", "401", "403", "404", "409", "429", "5xx"]


class _Quiet(WSGIRequestHandler):
    # Otherwise every request opens a connection, and the run takes twice as long.
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """The application has its own line."""
