"""Settings: the environment and nothing else, read once, everything wrong with it told at once."""

import base64
import os
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.settings import refusals
from shared.settings.urls import port_number


class SettingsRefused(Exception):
    """The settings do not allow a start."""


def _of(services: str, **rest: Any) -> Any:
    """A setting that only these services need."""
    return field(metadata={"services": services.split()}, **rest)


def _where_given() -> Any:
    """A setting that nobody needs."""
    return field(default="", metadata={"services": []})


@dataclass(frozen=True)
class Settings:
    """Each field is the variable TANDEM_<FIELD>, or the file that TANDEM_<FIELD>_FILE names."""

    service: str
    mongo_url: str
    amqp_url: str
    issuer: str
    jwks_url: str
    secret_key: str
    """Base64 of at least 32 random bytes, each service its own; every other key is derived from it."""
    master_key: str = ""
    """Each service's own, in a form that shared/store/lock/master.py has; all its data keys lie under it."""
    former_master_key: str = _of("", default="")
    """The one before, as long as some of the keys still lie under it (`keys rewrap`), or the one to come."""
    kms_credentials: str = _of("", default="")
    """JSON, for a master key that a key management service has."""
    environment: Literal["development", "production"] = "production"
    database_prefix: str = "tandem_"
    audience: str = "tandem"
    host: str = "127.0.0.1"
    port: int = 8000
    metrics_port: int = 8001
    worker_metrics_port: int = 8002
    sender_metrics_port: int = _of("partners", default=8003)
    smtp_url: str = _of("practices", default="")
    mail_from: str = _of("practices", default="")
    contact_public_key: str = _of("practices", default="")
    """Base64 of an X25519 key (RFC 7748), to which e-mail addresses and phone numbers are encrypted."""
    contact_private_key: str = _of("notifications", default="")
    """The private key to it."""
    web_url: str = _where_given()
    admin_mongo_url: str = _where_given()
    admin_amqp_url: str = _where_given()
    admin_rabbitmq_url: str = _where_given()
    """With all three `prepare` makes the users that the service's own URLs name; queues, as administrator."""

    @classmethod
    def read(cls, service: str, environ: Mapping[str, str] = os.environ) -> "Settings":
        """Read them, or raise `SettingsRefused` with one sentence for each that is missing or wrong."""
        values: dict[str, Any] = {"service": service}
        problems: list[str] = []
        for setting in fields(cls)[1:]:
            _read(setting, service, environ, values, problems)
        if problems:
            raise SettingsRefused("\n".join(problems))
        settings = cls(**values)
        problems = refusals.malformed(settings) or refusals.unfit_for_prepare(settings)
        if not (problems or settings.development):
            problems = refusals.unfit_for_production(settings)
        if problems:
            raise SettingsRefused("\n".join(problems))
        return settings

    @property
    def development(self) -> bool:
        return self.environment == "development"

    @property
    def administered(self) -> bool:
        """Whether `prepare` may make users here."""
        return bool(self.admin_mongo_url)

    @property
    def sign_in_url(self) -> str:
        """Where people are told to sign in."""
        return self.web_url or self.issuer

    @property
    def database_name(self) -> str:
        return self.database_prefix + self.service

    def key(self, purpose: str) -> bytes:
        """32 bytes for one purpose, derived by HKDF-SHA256 (RFC 5869) from the service's secret key."""
        hkdf = HKDF(SHA256(), length=32, salt=None, info=f"tandem/{self.service}/{purpose}".encode())
        return hkdf.derive(base64.b64decode(self.secret_key))


def variable(setting: Field[Any]) -> str:
    return f"TANDEM_{setting.name.upper()}"


def _read(
    setting: Field[Any],
    service: str,
    environ: Mapping[str, str],
    values: dict[str, Any],
    problems: list[str],
) -> None:
    name = variable(setting)
    try:
        text = _text(name, environ)
        if text is None and _needed(setting, service):
            problems.append(_not_set(name))
        if text is not None:
            values[setting.name] = _CONVERT.get(setting.name, str)(text)
    except ValueError as error:
        problems.append(f"{name} {error}.")


def text(name: str, environ: Mapping[str, str] = os.environ) -> str:
    """One variable, or its file, for a command that needs little else; raises `SettingsRefused`."""
    try:
        found = _text(name, environ)
    except ValueError as error:
        raise SettingsRefused(f"{name} {error}.") from None
    if found is None:
        raise SettingsRefused(_not_set(name))
    return found


def _not_set(name: str) -> str:
    return f"{name} is not set: set it, or {name}_FILE to a file that holds it."


def _text(name: str, environ: Mapping[str, str]) -> str | None:
    if environ.get(name):
        return environ[name]
    if environ.get(f"{name}_FILE"):
        return _content(Path(environ[f"{name}_FILE"]))
    return None


def _content(file: Path) -> str | None:
    try:
        return file.read_text().strip() or None
    except UnicodeDecodeError:
        raise ValueError("must be text, and the file it names is not") from None
    except OSError as error:
        # Without the file: its name may be what was to be in it.
        raise ValueError(f"cannot be read from the file that its _FILE names: {error.strerror}") from None


def _needed(setting: Field[Any], service: str) -> bool:
    wanted_here = service in setting.metadata.get("services", [service])
    return wanted_here and (setting.default is MISSING or setting.default == "")


def _environment(text: str) -> str:
    if text not in ("development", "production"):
        raise ValueError("must be development or production")
    return text


_CONVERT: dict[str, Callable[[str], Any]] = {
    "environment": _environment,
    "port": port_number,
    "metrics_port": port_number,
    "worker_metrics_port": port_number,
    "sender_metrics_port": port_number,
}
