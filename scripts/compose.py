"""deploy/compose.yaml, the secrets it asks for, and what it starts.

`python -m scripts.compose` (make secrets) writes deploy/.env, once.
"""

import base64
import hashlib
import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from scripts import engine, parts, trouble
from scripts.place import PROJECT, write_private
from scripts.telling import line
from scripts.trouble import Trouble

FILE = PROJECT / "deploy" / "compose.yaml"
SECRETS = FILE.with_name(".env")
PRIVATE_KEY, PUBLIC_KEY = "TANDEM_CONTACT_PRIVATE_KEY", "TANDEM_CONTACT_PUBLIC_KEY"
UP_SECONDS = 120.0


@dataclass(frozen=True)
class Project:
    """What is started under one name, with the settings in one file."""

    name: str
    settings: Path

    def up(self, *services: str) -> None:
        """Start these services and what they depend on, or all; trouble says why that failed."""
        self._must(f"start {' and '.join(services) or 'everything'}", "up", "-d", *services)

    def down(self, *options: str, grace: int = 20) -> None:
        """End and remove the containers; `-v`, with their data; trouble where something stays."""
        # Even here Compose asks for every secret: one that is new in the file, or all after a killed start.
        write_settings(self.settings, read_settings(self.settings))
        self._must("remove all of it", "down", "-t", str(grace), *options)

    def is_running(self, service: str) -> bool:
        # Asked of the engine, because this is asked often, and docker-compose takes most of a second.
        labels = {"com.docker.compose.project": self.name, "com.docker.compose.service": service}
        filters = [word for label in labels.items() for word in ("--filter", "label={}={}".format(*label))]
        return bool(engine.run("ps", "-q", *filters).stdout.strip())

    def _must(self, what: str, *words: str) -> None:
        options = ("-p", self.name, "--env-file", str(self.settings), "-f", str(FILE))
        program = engine.compose()
        if program is None:
            raise Trouble("There is neither `docker compose` nor docker-compose: install one of them.")
        done = engine.run(*options, *words, seconds=UP_SECONDS, program=program)
        if done.returncode:
            said = [one for one in done.stderr.splitlines() if one.strip()] or ["no reason given"]
            raise Trouble(f"Compose did not {what} ({said[-1].strip()}).")


def write_settings(file: Path, settings: Mapping[str, object]) -> None:
    """A file of settings for a project; what secrets it has already, it keeps."""
    kept = read_settings(file)
    made = {name: kept.get(name) or _secret(name) for name in required()}
    made[PUBLIC_KEY] = parts.public_key(made[PRIVATE_KEY])
    write_private(file, "".join(f"{name}={value}\n" for name, value in (made | dict(settings)).items()))


def _secret(name: str) -> str:
    if name.endswith("_MASTER_KEY"):
        return base64.b64encode(secrets.token_bytes(96)).decode()
    if name == PRIVATE_KEY:
        return base64.b64encode(secrets.token_bytes(32)).decode()
    return secrets.token_hex(32)


def read_settings(file: Path) -> dict[str, str]:
    """What the file gives; what it leaves empty is not given."""
    lines: Iterable[str] = file.read_text().splitlines() if file.exists() else ()
    found = dict(one.split("=", 1) for one in lines if "=" in one)
    return {name: value for name, value in found.items() if value.strip()}


def named(folder: Path) -> str:
    """A project's name that no other folder on this machine has."""
    return f"tandem-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def required() -> list[str]:
    """The settings that compose.yaml does not do without: they are all secrets."""
    return list(dict.fromkeys(re.findall(r"\$\{(\w+):\?", FILE.read_text())))


def main() -> None:
    known, wanted = read_settings(SECRETS), set(required())
    if wanted <= known.keys():
        line(f"{SECRETS.relative_to(PROJECT)} has them already.")
        return
    # What runs already keeps its name, and so its volumes.
    name = {} if wanted & known.keys() else {"COMPOSE_PROJECT_NAME": named(PROJECT)}
    write_settings(SECRETS, name | known)
    line(f"Written to {SECRETS.relative_to(PROJECT)}, for its owner's eyes only: keep a copy with your data.")


if __name__ == "__main__":
    trouble.run(main)
