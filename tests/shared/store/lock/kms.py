"""Stand-ins for the key management services of AWS, Google Cloud and Azure, as libmongocrypt asks them.

Each encrypts by putting the name of the key in front, and knows no other credentials than those it was told.
"""

import base64
import json
import re
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

TOKEN = "a-token"


class _Refused(Exception):
    pass


class Standing:
    """What the services answer to all that they are asked, unless it is 200."""

    status = 200


class _Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    standing: Standing

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, answer = self.standing.status, {"error": "refused"}
        try:
            if status == 200:
                answer = self._answered(body)
        except _Refused:
            status = 403
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
        key, act = re.split("[:/](?=[a-z]+$)", self.path.partition("?")[0])
        return _ACTS[act](key, json.loads(body))

    def _aws(self, target: str, given: dict[str, str]) -> dict[str, str]:
        if "Credential=good/" not in self.headers["Authorization"]:
            raise _Refused
        if target == "TrentService.Encrypt":
            return {"CiphertextBlob": _wrapped(given["KeyId"], given["Plaintext"])}
        # AWS finds the key by what it encrypted.
        return {"Plaintext": _unwrapped("arn:aws:kms", given["CiphertextBlob"])}

    def log_message(self, *_: Any) -> None: ...


def _wrapped(key: str, plain: str) -> str:
    return base64.b64encode(f"{key}|{plain}".encode()).decode()


def _unwrapped(key: str, wrapped: str) -> str:
    name, _, plain = base64.b64decode(wrapped).decode().partition("|")
    if not name.startswith(key):
        raise _Refused
    return plain


def _urlsafe(text: str) -> str:
    return text.replace("+", "-").replace("/", "_").rstrip("=")


def _padded(text: str) -> str:
    return text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4)


_ACTS: dict[str, Callable[[str, dict[str, str]], dict[str, str]]] = {
    "encrypt": lambda key, given: {"ciphertext": _wrapped(key, given["plaintext"])},
    "decrypt": lambda key, given: {"plaintext": _unwrapped(key, given["ciphertext"])},
    "wrapkey": lambda key, given: {"kid": key, "value": _urlsafe(_wrapped(key, given["value"]))},
    "unwrapkey": lambda key, given: {"kid": key, "value": _unwrapped(key, _padded(given["value"]))},
}


@contextmanager
def serving(certificate: Path, standing: Standing) -> Iterator[str]:
    """Where it is: host:port."""
    service = type("Service", (_Service,), {"standing": standing})
    server = ThreadingHTTPServer(("127.0.0.1", 0), service)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
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
