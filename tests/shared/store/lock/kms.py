"""Stand-ins for the key management services of AWS, Google Cloud and Azure, as far as libmongocrypt asks them.

Each encrypts by putting the name of the key in front, and knows no other credentials than those it was told.
"""

import base64
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TOKEN = "a-token"


class _Refused(Exception):
    pass


class _Service(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            status, answer = 200, self._answered(body)
        except _Refused:
            status, answer = 403, {"error": "refused"}
        told = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    def _answered(self, body: bytes) -> dict[str, Any]:
        if target := self.headers.get("X-Amz-Target"):
            return self._aws(target, json.loads(body))
        if "token" in self.path:
            return {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"}
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            raise _Refused
        key, _, act = (
            self.path.replace("/wrapkey", ":encrypt").replace("/unwrapkey", ":decrypt").rpartition(":")
        )
        given = json.loads(body)
        if "value" in given:
            return {"kid": key, "value": self._changed(act, key.partition("?")[0], given["value"])}
        if act == "encrypt":
            return {"ciphertext": self._changed(act, key, given["plaintext"])}
        return {"plaintext": self._changed(act, key, given["ciphertext"])}

    def _aws(self, target: str, given: dict[str, str]) -> dict[str, str]:
        if "Credential=good/" not in self.headers["Authorization"]:
            raise _Refused
        if target == "TrentService.Encrypt":
            return {"CiphertextBlob": self._changed("encrypt", given["KeyId"], given["Plaintext"])}
        return {"Plaintext": self._changed("decrypt", given["KeyId"], given["CiphertextBlob"])}

    def _changed(self, act: str, key: str, value: str) -> str:
        urlsafe = self.path.partition("?")[0].endswith("wrapkey")
        padded = value + "=" * (-len(value) % 4)
        raw = base64.urlsafe_b64decode(padded) if urlsafe else base64.b64decode(padded)
        front = f"{key}|".encode()
        if act == "encrypt":
            raw = front + raw
        elif raw.startswith(front):
            raw = raw.removeprefix(front)
        else:
            raise _Refused
        return (
            base64.urlsafe_b64encode(raw).decode().rstrip("=") if urlsafe else base64.b64encode(raw).decode()
        )

    def log_message(self, *_: Any) -> None: ...


@contextmanager
def serving(certificate: Path, key: Path) -> Iterator[str]:
    """Where it is: host:port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def masters(at: str) -> dict[str, tuple[str, dict[str, Any]]]:
    """Of each provider a master key there, and credentials that are good."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return {
        "aws": (
            f"aws:arn:aws:kms:eu-west-1:123456789012:key/ab-12?endpoint={at}",
            {"accessKeyId": "good", "secretAccessKey": "secret"},
        ),
        "gcp": (
            f"gcp:projects/p/locations/europe/keyRings/ring/cryptoKeys/name?endpoint={at}",
            {"email": "a@example.org", "privateKey": base64.b64encode(der).decode(), "endpoint": at},
        ),
        "azure": (
            f"azure:https://{at}/keys/name/1",
            {"tenantId": "t", "clientId": "c", "clientSecret": "s", "identityPlatformEndpoint": at},
        ),
    }
