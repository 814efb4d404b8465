"""post_vs_eve: POST a goal to goals' web, beside POST of the same three fields to Eve.

Ours is asked by a clinician of the client with a real ES256 token, which is verified with keys fetched over
HTTP; the goal is authorised by the service's own read model and written with its event (majority), under an
Idempotency-Key of its own. Eve runs at its defaults: nobody is asked who they are, write concern 1. Both run
in gunicorn, two workers of four threads, and wrk holds 16 connections to each in turn. No relay runs
meanwhile; afterwards one drains the outbox, and every goal must have told one event.
"""

import json
import socket
import subprocess
import tempfile
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from benchmarks.figure import Bench, Figure, at_least
from benchmarks.programs import program, rounds, until
from benchmarks.scene import MASTER_KEY, Scene
from scripts.trouble import Trouble
from services.goals.events import GoalProposed
from services.goals.store import COLLECTIONS
from shared.clock import now
from shared.ids import new_id
from shared.store.indexes import prepare
from shared.store.operations import project, write
from tests.issuer import Issuer

SECONDS = 20
WARM_UP = 3
SECONDS_AT_BEST = 8
ROUNDS = 5
CONNECTIONS = 16
WORKERS, THREADS = 2, 4
SHARE = CONNECTIONS // WORKERS
"""Connections that a worker takes at most: else one may take all 16, and one CPU stands idle."""
AT_BEST = {1: (1, 1), 4: (2, 2), 16: (2, 8)}
"""Requests that Eve works on at once, as workers and threads of gunicorn."""
PRACTICE, CLINICIAN, CLIENT = "practice-1", "clinician-1", "client-1"
GOAL = {
    "what": "Take the bus to town twice a week",
    "why": "To see my sister again",
    "target_on": "2027-03-01",
}

_WRK = """
local sent, prefix, threads = 0, "", {}
local headers = %(headers)s
function setup(thread) table.insert(threads, thread) end
function init(args) prefix = args[1]; created, others = 0, 0 end
function request()
  sent = sent + 1
  headers["Idempotency-Key"] = prefix .. sent
  return wrk.format("POST", nil, headers, '%(body)s')
end
function response(status) if status == 201 then created = created + 1 else others = others + 1 end end
function done(summary)
  local e = summary.errors
  local failed = threads[1]:get("others") + e.connect + e.read + e.write + e.timeout
  print(string.format('{"created": %%d, "failed": %%d, "seconds": %%f}',
    threads[1]:get("created"), failed, summary.duration / 1e6))
end
"""


class Loaded:
    """One server under load: how many it created a second, and in all."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        self._url = url
        given = ", ".join(f"['{name}'] = '{value}'" for name, value in headers.items())
        self._script = _WRK % {"headers": f"{{{given}}}", "body": json.dumps(GOAL)}
        self.created = self.runs = 0

    def a_second(self, seconds: int = SECONDS) -> float:
        with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
            script.write(self._script)
            script.flush()
            command = [
                "wrk",
                "-t1",
                f"-c{CONNECTIONS}",
                f"-d{seconds}s",
                "-s",
                script.name,
                self._url,
                "--",
                new_id(),
            ]
            done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=seconds + 30)  # noqa: S603
        told = json.loads(done.stdout.strip().splitlines()[-1])
        if told["failed"] or not told["created"]:
            raise Trouble(f"{self._url} refused some: {told}.")
        self.created += told["created"]
        self.runs += 1
        return float(told["created"] / told["seconds"])


def figures(bench: Bench) -> Iterator[Figure]:
    made = Scene(bench.servers, f"bench-post-{new_id()}-goals")
    try:
        with our_web(made) as ours:
            with eve(made, WORKERS, THREADS, SHARE) as peer:
                rounds([lambda: ours.a_second(WARM_UP), lambda: peer.a_second(WARM_UP)], 1)
                values, peer_values = rounds([ours.a_second, peer.a_second], ROUNDS)
            best, concurrency = max((_eve_at(made, at), at) for at in AT_BEST)
        note = told_once(made, ours)
    finally:
        made.database.client.drop_database(_eve_database(made))
        made.remove()
    yield Figure(
        "post_vs_eve",
        "POSTs/s",
        tuple(values),
        (at_least("ratio", 1.3, aim=1.6),),
        peer="Eve 2.3",
        peer_values=tuple(peer_values),
        best_peer_value=best,
        best_concurrency=concurrency,
        note=note,
    )


@contextmanager
def our_web(made: Scene) -> Iterator[Loaded]:
    prepare(made.database, COLLECTIONS)
    known = {
        "members": (CLINICIAN, {"roles": ["clinician"], "active": True}),
        "clients": (CLIENT, {"language": "en", "active": True}),
        "episodes": (
            "e",
            {"client_id": CLIENT, "clinician_id": CLINICIAN, "started_at": now(), "active": True},
        ),
    }
    write(made.database, [(project(name, *record), PRACTICE, 1) for name, record in known.items()])
    issuer = Issuer()
    with ExitStack() as ends:
        address = ends.enter_context(key_set_of(issuer))
        port, metrics_port = _free_port(), _free_port()
        settings = {
            "ENVIRONMENT": "development",
            "MONGO_URL": made.mongo_url,
            "AMQP_URL": made.amqp_url,
            "DATABASE_PREFIX": made.name.removesuffix("goals"),
            "ISSUER": address,
            "JWKS_URL": address,
            "SECRET_KEY": "A" * 43 + "=",
            "MASTER_KEY": MASTER_KEY,
            "PORT": str(port),
            "METRICS_PORT": str(metrics_port),
        }
        given = {f"TANDEM_{name}": value for name, value in settings.items()}
        words = map(str, (WORKERS, THREADS, SHARE))
        web = ends.enter_context(program("our-web", "benchmarks.web", *words, **given))
        until(lambda: _answers(f"http://127.0.0.1:{metrics_port}/readyz"), web, 60)
        moment = int(time.time())
        who: dict[str, Any] = {"sub": CLINICIAN, "kind": "member", "practice": PRACTICE}
        token = issuer.token(iss=address, iat=moment, exp=moment + 900, **who)
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {token}"}
        yield Loaded(f"http://127.0.0.1:{port}/v1/clients/{CLIENT}/goals", headers)


@contextmanager
def eve(made: Scene, workers: int, threads: int, connections: int) -> Iterator[Loaded]:
    port = _free_port()
    words = [
        "--workers",
        f"{workers}",
        "--threads",
        f"{threads}",
        "--worker-connections",
        f"{connections}",
        "--bind",
        f"127.0.0.1:{port}",
        "--no-control-socket",
    ]
    named = {"EVE_MONGO_URL": made.mongo_url, "EVE_DATABASE": _eve_database(made)}
    with program(
        f"eve-{workers}x{threads}", "gunicorn", *words, "benchmarks.peers.eve_goals:app", **named
    ) as web:
        until(lambda: _answers(f"http://127.0.0.1:{port}/"), web, 60)
        yield Loaded(f"http://127.0.0.1:{port}/goals", {"Content-Type": "application/json"})


def _eve_at(made: Scene, concurrency: int) -> float:
    with eve(made, *AT_BEST[concurrency], connections=1_000) as peer:
        peer.a_second(WARM_UP)
        return peer.a_second(SECONDS_AT_BEST)


def _eve_database(made: Scene) -> str:
    return made.name.removesuffix("goals") + "eve"


def told_once(made: Scene, ours: Loaded) -> str:
    """Drain the outbox; whether every goal there is told one event, and every acknowledged one is there."""
    goals = made.database["goals"]
    there = goals.count_documents({"version": 1, "eseq": 1, "outbox": {"$size": 1}})
    made.declare(GoalProposed.type)
    with program("our-relay", "benchmarks.ours", "relay", made.name, made.mongo_url, made.amqp_url) as relay:
        until(lambda: goals.find_one({"due": {"$exists": True}}, {"_id": 1}) is None, relay, 120)
    told = made.purge()
    # wrk hangs up on what is under way when its time is over: done, and never acknowledged to it.
    cut_off = there - ours.created
    if told != there or goals.count_documents({}) != there or not 0 <= cut_off <= CONNECTIONS * ours.runs:
        raise Trouble(f"{ours.created} goals were acknowledged, {there} are there and told {told} events.")
    return f"{ours.created:,} goals acknowledged, none refused; {there:,} there, which told {told:,} events."


@contextmanager
def key_set_of(issuer: Issuer) -> Iterator[str]:
    """The address at which the issuer's public keys are, as practices publishes them."""
    keys = json.dumps(issuer.key_set()).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(keys)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 - our own
            return bool(answer.status == 200)
    except OSError:
        return False
