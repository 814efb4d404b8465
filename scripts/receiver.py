"""A partner's receiver on this machine, that verifies what it takes with the `standardwebhooks` package.

`make receive SECRET=whsec_… PORT=59000` shows what comes to http://127.0.0.1:59000/ until Ctrl-C.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import click
from standardwebhooks import Webhook, WebhookVerificationError

LAST_PORT = 59999  # the highest that an endpoint's URL may name


@dataclass
class Received:
    """What came to the receiver, by whether its signature is right."""

    secret: str = ""
    verified: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    tell: Callable[[str], None] = lambda told: None

    def take(self, body: str, headers: dict[str, str]) -> int:
        try:
            Webhook(self.secret).verify(body, headers)
        except WebhookVerificationError as error:
            self.refused.append(str(error))
            self.tell(f"refused: {error}")
            return 401
        self.verified.append(body)
        self.tell(f"verified: {body}")
        return 204


@contextmanager
def receiver(received: Received | None = None, port: int = 0) -> Iterator[tuple[str, Received]]:
    """Listen meanwhile; gives the address and what came."""
    taken = received or Received()

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.send_response(taken.take(body, headers))
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = _server(Receiver, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", taken
    finally:
        server.shutdown()
        server.server_close()


def _server(handler: type[BaseHTTPRequestHandler], port: int) -> ThreadingHTTPServer:
    while True:
        server = ThreadingHTTPServer(("127.0.0.1", port), handler)
        if server.server_port <= LAST_PORT:
            return server
        server.server_close()


@click.command(help="Show and verify the webhooks that come to a port of this machine, until Ctrl-C.")
@click.argument("secret")
@click.argument("port", type=click.IntRange(1024, LAST_PORT))
def main(secret: str, port: int) -> None:
    try:
        with receiver(Received(secret, tell=click.echo), port) as (address, _):
            click.echo(f"Listening at {address}/")
            threading.Event().wait()
    except OSError as error:
        sys.exit(f"Port {port} cannot be had ({error.strerror}): name another one.")


if __name__ == "__main__":
    main()
