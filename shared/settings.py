"""Settings: the environment and nothing else, read once, everything wrong with it told at once."""

import base64
import binascii
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF


class SettingsRefused(Exception):
    """The settings do not allow a start."""


def _of(services: str, **rest: Any) -> Any:
    """A setting that only these services need."""
    return field(metadata={"services": services.split()}, **rest)


def _for_prepare() -> Any:
    """A setting that `prepare` takes where it is given."""
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
    admin_mongo_url: str = _for_prepare()
    admin_amqp_url: str = _for_prepare()
    admin_rabbitmq_url: str = _for_prepare()
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
        problems = _malformed(settings) or ([] if settings.development else _unfit_for_production(settings))
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


def prefix_of_user(url: str, service: str) -> str | None:
    """What comes before the service's name in the (first) URL's user name: "" or, say, "staging.".

    None where the user is not the service's own, as one that all services share in development.
    """
    user = unquote(urlsplit(url.partition(";amqp")[0]).username or "")
    own = re.fullmatch(rf"(|.*[._-]){re.escape(service)}", user, re.DOTALL)
    return own[1] if own else None


class Login(NamedTuple):
    user: str
    password: str
    vhost: str


def logins(amqp_urls: str) -> list[Login]:
    """Who comes to which vhost of each broker, as kombu reads it."""
    ats = map(urlsplit, amqp_urls.split(";"))
    return [Login(*map(unquote, (at.username or "", at.password or "", at.path[1:] or "/"))) for at in ats]


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


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6 and 0 < int(text) < 65536):
        raise ValueError("must be a port, 1 to 65535")
    return int(text)


def _environment(text: str) -> str:
    if text not in ("development", "production"):
        raise ValueError("must be development or production")
    return text


_CONVERT: dict[str, Callable[[str], Any]] = {
    "environment": _environment,
    "port": _port,
    "metrics_port": _port,
    "worker_metrics_port": _port,
    "sender_metrics_port": _port,
}


def _malformed(settings: Settings) -> list[str]:
    problems = []
    try:
        enough = len(base64.b64decode(settings.secret_key, validate=True)) >= 32
    except (binascii.Error, ValueError):
        enough = False
    if not enough:
        problems.append(
            "TANDEM_SECRET_KEY must be base64 of at least 32 random bytes: openssl rand -base64 32"
        )
    for name, schemes in _SCHEMES.items():
        if not all(_scheme(url) in schemes for url in _urls(settings, name)):
            begin = " or ".join(schemes)
            problems.append(f"TANDEM_{name.upper()} must be a URL that begins with {begin} and names a host.")
    return problems or _unfit_for_prepare(settings)


def _unfit_for_prepare(settings: Settings) -> list[str]:
    """What keeps `prepare` from making the users that the service's own URLs name."""
    given = [getattr(settings, name) for name in _ADMIN]
    if not any(given):
        return []
    if not all(given):
        return [f"{_ADMIN_NAMES} go together: set all of them for prepare, or none."]
    problems = []
    for name in ("mongo_url", "amqp_url"):
        url, admin = getattr(settings, name), urlsplit(getattr(settings, f"admin_{name}"))
        own = urlsplit(url)
        shared = unquote(own.username or "") == unquote(admin.username or "")
        if shared or not own.password or prefix_of_user(url, settings.service) is None:
            problems.append(
                f"{_own_user(name, settings)}, with a password, and not the one that "
                f"TANDEM_ADMIN_{name.upper()} names: prepare makes it."
            )
    ours, admins = set(logins(settings.amqp_url)), logins(settings.admin_amqp_url)
    if len(ours) > 1:
        problems.append("TANDEM_AMQP_URL must name one user, password and vhost for all brokers.")
    elif {one.vhost for one in ours} != {one.vhost for one in admins}:
        problems.append("TANDEM_AMQP_URL and TANDEM_ADMIN_AMQP_URL must name the same vhost.")
    return problems


def _own_user(name: str, settings: Settings) -> str:
    service = settings.service
    return (
        f"TANDEM_{name.upper()} must name the service's own user, {service} or one that ends with .{service}"
    )


def _urls(settings: Settings, name: str) -> list[str]:
    """Brokers of one cluster are separated by ";"; what is not needed may be none."""
    value = getattr(settings, name)
    urls = value.split(";") if name.endswith("amqp_url") else [value]
    return urls if value else []


def _scheme(url: str) -> str | None:
    """The scheme of a URL that can be read, hosts and ports and all."""
    if re.search(r"\s", url):
        return None  # urlsplit passes over some of it, others do not
    try:
        parts = urlsplit(url)
        if not parts.netloc.rpartition("@")[2].partition(":")[0]:
            return None
        if not parts.scheme.startswith("mongodb"):
            _ = parts.port
        elif not all(
            _port(port) for port in re.findall(r":(\d+)(?=[,/?]|$)", parts.netloc.rpartition("@")[2])
        ):
            return None
    except ValueError:
        return None
    return parts.scheme


_ADMIN = ("admin_mongo_url", "admin_amqp_url", "admin_rabbitmq_url")
_ADMIN_NAMES = "TANDEM_ADMIN_MONGO_URL, TANDEM_ADMIN_AMQP_URL and TANDEM_ADMIN_RABBITMQ_URL"
_SCHEMES = {
    "mongo_url": ("mongodb", "mongodb+srv"),
    "amqp_url": ("amqp", "amqps"),
    "issuer": ("http", "https"),
    "jwks_url": ("http", "https"),
    "smtp_url": ("smtp", "smtps"),
    "admin_mongo_url": ("mongodb", "mongodb+srv"),
    "admin_amqp_url": ("amqp", "amqps"),
    "admin_rabbitmq_url": ("http", "https"),
}


def _unfit_for_production(settings: Settings) -> list[str]:
    """One sentence for each thing that only development may have.

    TANDEM_JWKS_URL may be http: the keys come from the Service of practices inside the cluster, which TLS
    does not reach, and whoever can answer in its place has the cluster already.
    """
    mail = urlsplit(settings.smtp_url)
    checks = {
        **{
            f"TANDEM_{name.upper()} must not have a # in production: what follows it is read in more than "
            "one way.": "#" in getattr(settings, name)
            for name in _SCHEMES
        },
        "TANDEM_SECRET_KEY must be random in production, and has fewer than 8 different bytes: "
        "openssl rand -base64 32": len(set(base64.b64decode(settings.secret_key))) < 8,
        "TANDEM_ISSUER must be an https URL in production: the address that practices has outside.": (
            urlsplit(settings.issuer).scheme != "https"
        ),
        **_unfit_brokers("AMQP", settings.amqp_url),
        **_not_own("amqp_url", settings),
        **_unfit_database("MONGO", settings.mongo_url),
        **_not_own("mongo_url", settings),
        **(_unfit_administrators(settings) if settings.administered else {}),
        # One with a user gets no password without TLS: smtp:// means STARTTLS then (practices/mailer.py).
        "TANDEM_SMTP_URL must not be the development mailbox in production: name a mail server with user "
        "and password.": bool(settings.smtp_url) and not (mail.username and mail.password),
    }
    return [sentence for sentence, unfit in checks.items() if unfit]


def _not_own(name: str, settings: Settings) -> dict[str, bool]:
    """Who names no user at all is told that already."""
    return {
        f"{_own_user(name, settings)}, in production: each has rights of its own.": any(
            urlsplit(url).username and prefix_of_user(url, settings.service) is None
            for url in _urls(settings, name)
        )
    }


def _unfit_administrators(settings: Settings) -> dict[str, bool]:
    management = urlsplit(settings.admin_rabbitmq_url)
    return {
        **_unfit_brokers("ADMIN_AMQP", settings.admin_amqp_url),
        "TANDEM_ADMIN_AMQP_URL must not use the user guest in production, whose password everybody knows: "
        "name another.": any(login.user == "guest" for login in logins(settings.admin_amqp_url)),
        **_unfit_database("ADMIN_MONGO", settings.admin_mongo_url),
        "TANDEM_ADMIN_RABBITMQ_URL must be an https URL in production: it holds a password.": (
            management.scheme != "https"
        ),
    }


def _unfit_brokers(name: str, urls: str) -> dict[str, bool]:
    brokers = [urlsplit(url) for url in urls.split(";")]
    must = f"TANDEM_{name}_URL must"
    return {
        f"{must} use TLS in production: begin it with amqps://.": any(
            one.scheme != "amqps" for one in brokers
        ),
        f"{must} name a user and password in production: amqps://user:password@host/vhost.": any(
            not (one.username and one.password) for one in brokers
        ),
        f"{must} have no options in production: take out the ? and what follows it.": any(
            one.query for one in brokers
        ),
    }


def _unfit_database(name: str, url: str) -> dict[str, bool]:
    database = urlsplit(url)
    # As pymongo reads them: after the first ?, also after a #, names in any case, separated by & or ;. It
    # passes over names that it does not know, so that one that is not plain may be none.
    pairs = [pair.partition("=") for pair in re.split("[&;]", url.partition("?")[2])] if "?" in url else []
    options = [(name.lower(), value) for name, _, value in pairs]
    tls = {value for option, value in options if option in ("tls", "ssl")}
    must = f"TANDEM_{name}_URL must"
    return {
        f"{must} name a user and password in production: mongodb://user:password@host/.": (
            not (database.username and database.password)
        ),
        f"{must} have plain options in production: ?name=value&name=value, names of letters alone, none "
        "blank, none twice.": (
            len(dict(options)) < len(options)
            or not all(re.fullmatch("[a-z]+", option) and value for option, value in options)
        ),
        f"{must} use TLS in production: add tls=true to its options.": (
            tls != {"true"} and not (database.scheme == "mongodb+srv" and not tls)
        ),
        f"{must} have the server's certificate checked in production: take out tlsInsecure, "
        "tlsAllowInvalidCertificates and tlsAllowInvalidHostnames.": (
            any(option in _UNCHECKED and value != "false" for option, value in options)
        ),
    }


_UNCHECKED = {"tlsinsecure", "tlsallowinvalidcertificates", "tlsallowinvalidhostnames"}


def prefix_of_user(url: str, service: str) -> str | None:
    """What comes before the service's name in a URL's user: "" or, say, "staging."; None for another's."""
    user = unquote(urlsplit(url.partition(";")[0]).username or "")
    prefix = user.removesuffix(service)
    return prefix if user.endswith(service) and (not prefix or prefix[-1] in ".-_") else None
