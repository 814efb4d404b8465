"""A service that does nothing but start, say that it is ready, and end: the __main__ of each in a copy."""

import json
import os
import signal
import socket
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

PORTS = {"web": "METRICS_PORT", "worker": "WORKER_METRICS_PORT", "sender": "SENDER_METRICS_PORT"}
PEOPLE = [{"name": "Clara Costa", "email": "clara@example.org", "role": "clinician"}]


class Ready(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


def run(word: str, behaviour: str) -> None:
    if word == "prepare":
        sys.exit("The collections are locked." if behaviour == "unprepared" else 0)
    if word == "sample":
        app = {"id": "a1", "name": "EHR", "client_secret": "s"}
        sys.stdout.write(json.dumps({"people": PEOPLE, "app": app}, indent=2))
        return
    if behaviour == "dying":
        sys.exit("TANDEM_ISSUER is wrong.")
    if behaviour == "slow":
        time.sleep(60)
    if behaviour == "deaf":
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if word == "web":
        # Held as a service holds its port, or another copy may be given it.
        requests = socket.create_server(("127.0.0.1", int(os.environ["TANDEM_PORT"])))  # noqa: F841
    HTTPServer(("127.0.0.1", int(os.environ[f"TANDEM_{PORTS[word]}"])), Ready).serve_forever()


file = Path(__file__).with_name("behaviour")
run(sys.argv[1], file.read_text() if file.exists() else "")
