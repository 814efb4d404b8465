"""The processes of the platform and their settings, read off the folders of services/.

Every service has a web and a worker; a service with the room `sender` has that process too.
"""

import base64
import hashlib
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from scripts import asked
from scripts.place import PROJECT, Place

FIRST = ("practices", "goals", "feedback", "notifications", "partners")
PORT, METRICS, WORKER, SENDER = 8101, 100, 200, 300
MAIL_PORT = 8125
JWKS = "/.well-known/jwks.json"


@dataclass(frozen=True)
class Part:
    """One process of one service, and the name of the port on which it says that it is ready."""

    service: str
    kind: str

    @property
    def name(self) -> str:
        return f"{self.service}-{self.kind}"

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", f"services.{self.service}", self.kind]

    @property
    def metrics(self) -> str:
        return f"{self.service}_metrics" if self.kind == "web" else f"{self.service}_{self.kind}_metrics"


def services(folder: Path = PROJECT / "services") -> list[str]:
    """All services, in the order of their ports."""
    found = {file.parent.name for file in folder.glob("*/app.py")}
    return [name for name in FIRST if name in found] + sorted(found - set(FIRST))


def parts(folder: Path = PROJECT / "services") -> Iterator[Part]:
    for service in services(folder):
        yield Part(service, "web")
        yield Part(service, "worker")
        if any((folder / service).glob("sender*")):
            yield Part(service, "sender")


def code(folder: Path = PROJECT) -> str:
    """What the processes run: another digest, other code."""
    files = [folder / "uv.lock", *(folder / "services").rglob("*.py"), *(folder / "shared").rglob("*.py")]
    digest = hashlib.sha256()
    for file in sorted(files):
        digest.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return digest.hexdigest()


def usual_ports() -> dict[str, int]:
    ports = {"mail": MAIL_PORT}
    known = [*FIRST, *(name for name in services() if name not in FIRST)]
    for service in services():
        port = PORT + known.index(service)
        ports |= {service: port, f"{service}_metrics": port + METRICS}
        ports |= {f"{service}_worker_metrics": port + WORKER, f"{service}_sender_metrics": port + SENDER}
    used = {part.metrics for part in parts()} | set(services()) | {"mail"}
    return {name: port for name, port in ports.items() if name in used}


def environment(place: Place, service: str) -> dict[str, str]:
    """The settings of one service of this copy."""
    known = place.read()
    ports: dict[str, int] = known["ports"]
    issuer = f"http://127.0.0.1:{ports['practices']}"
    settings = {
        "ENVIRONMENT": "development",
        "MONGO_URL": known["servers"]["mongo_url"],
        "AMQP_URL": known["servers"]["amqp_url"],
        "DATABASE_PREFIX": asked.database_prefix(),
        "ISSUER": issuer,
        "JWKS_URL": issuer + JWKS,
        "SECRET_KEY_FILE": place.secret(f"{service}.key"),
        "MASTER_KEY_FILE": place.secret(f"{service}.master", 96),
        "CONTACT_PRIVATE_KEY_FILE": place.secret("contact.key"),
        "CONTACT_PUBLIC_KEY": public_key(place.secret("contact.key").read_text()),
        "PORT": ports[service],
        "METRICS_PORT": ports[f"{service}_metrics"],
        "WORKER_METRICS_PORT": ports[f"{service}_worker_metrics"],
        "SENDER_METRICS_PORT": ports.get(f"{service}_sender_metrics", ""),
        "SMTP_URL": f"smtp://127.0.0.1:{ports['mail']}",
        "MAIL_FROM": "tandem@example.org",
    }
    settings |= _own_users(place, service, known["servers"])
    return asked.plain() | {f"TANDEM_{name}": str(value) for name, value in settings.items()}


def public_key(private: str) -> str:
    """Of an X25519 key, both in base64."""
    key = X25519PrivateKey.from_private_bytes(base64.b64decode(private))
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def preparing(place: Place, service: str) -> dict[str, str]:
    """The settings with which `prepare` may make the service's own users as well, where it has some."""
    servers = place.read()["servers"]
    names = {"MONGO": "mongo_url", "AMQP": "amqp_url", "RABBITMQ": "management_url"}
    admin = {f"TANDEM_ADMIN_{name}_URL": servers.get(url, "") for name, url in names.items()}
    return environment(place, service) | (admin if servers.get("management_url") else {})


def _own_users(place: Place, service: str, servers: dict[str, str]) -> dict[str, str]:
    if not servers.get("management_url"):
        return {}
    # URL-safe, unlike base64.
    password = hashlib.sha256(place.secret(f"{service}.password").read_bytes()).hexdigest()
    return {name: _as(service, password, servers[name.lower()]) for name in ("MONGO_URL", "AMQP_URL")}


def _as(user: str, password: str, url: str) -> str:
    at = urlsplit(url)
    return at._replace(netloc=f"{user}:{password}@{at.netloc.rpartition('@')[2]}").geturl()
