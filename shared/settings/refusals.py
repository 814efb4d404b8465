"""Why settings do not allow a start: one full sentence each, that never shows what was set."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from shared.settings.urls import logins, prefix_of_user, scheme
from shared.store.lock.master import PROVIDERS, well_formed

if TYPE_CHECKING:
    from shared.settings import Settings


def malformed(settings: "Settings") -> list[str]:
    problems = []
    if _bytes_in(settings.secret_key) < 32:
        problems.append(
            "TANDEM_SECRET_KEY must be base64 of at least 32 random bytes: openssl rand -base64 32"
        )
    for name in ("contact_public_key", "contact_private_key"):
        value = getattr(settings, name)
        if value and _bytes_in(value) != _X25519_BYTES:
            problems.append(
                f"TANDEM_{name.upper()} must be base64 of an X25519 key of 32 bytes: .env.example shows how."
            )
    problems += _malformed_master(settings)
    for name, schemes in _SCHEMES.items():
        if not all(scheme(url) in schemes for url in _urls(settings, name)):
            begin = " or ".join(schemes)
            problems.append(f"TANDEM_{name.upper()} must be a URL that begins with {begin} and names a host.")
    return problems


def _malformed_master(settings: "Settings") -> Iterator[str]:
    try:
        credentials = json.loads(settings.kms_credentials or "{}")
    except ValueError:
        credentials = None
    if not isinstance(credentials, dict):
        yield 'TANDEM_KMS_CREDENTIALS must be a JSON object, as {"aws": {…}}: see docs/operations.md.'
        return
    for name in ("master_key", "former_master_key"):
        text = getattr(settings, name)
        kind = text.partition(":")[0]
        if text and not well_formed(text):
            yield (
                f"TANDEM_{name.upper()} must be base64 of 96 random bytes ({_MAKE_MASTER_KEY}), or name a "
                "key of AWS, Google Cloud or Azure as docs/operations.md shows."
            )
        elif text and kind in PROVIDERS and not isinstance(credentials.get(kind), dict):
            yield f"TANDEM_KMS_CREDENTIALS must have credentials for {kind}, where TANDEM_{name.upper()} is."


def _bytes_in(text: str) -> int:
    """How many bytes this is base64 of; none where it is not."""
    try:
        return len(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return 0


_X25519_BYTES = 32
_MAKE_MASTER_KEY = "openssl rand -base64 96 | tr -d '\\n'"


def unfit_for_prepare(settings: "Settings") -> list[str]:
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


def _own_user(name: str, settings: "Settings") -> str:
    service = settings.service
    return (
        f"TANDEM_{name.upper()} must name the service's own user, {service} or one that ends with .{service}"
    )


def _urls(settings: "Settings", name: str) -> list[str]:
    """Brokers of one cluster are separated by ";"; what is not needed may be none."""
    value = getattr(settings, name)
    urls = value.split(";") if name.endswith("amqp_url") else [value]
    return urls if value else []


_ADMIN = ("admin_mongo_url", "admin_amqp_url", "admin_rabbitmq_url")
_ADMIN_NAMES = "TANDEM_ADMIN_MONGO_URL, TANDEM_ADMIN_AMQP_URL and TANDEM_ADMIN_RABBITMQ_URL"
_SCHEMES = {
    "mongo_url": ("mongodb", "mongodb+srv"),
    "amqp_url": ("amqp", "amqps"),
    "issuer": ("http", "https"),
    "jwks_url": ("http", "https"),
    "smtp_url": ("smtp", "smtps"),
    "web_url": ("http", "https"),
    "admin_mongo_url": ("mongodb", "mongodb+srv"),
    "admin_amqp_url": ("amqp", "amqps"),
    "admin_rabbitmq_url": ("http", "https"),
}


def unfit_for_production(settings: "Settings") -> list[str]:
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
        "TANDEM_MASTER_KEY must be random in production, and has fewer than 8 different bytes: "
        f"{_MAKE_MASTER_KEY}": (
            settings.master_key.partition(":")[0] not in PROVIDERS
            and len(set(base64.b64decode(settings.master_key))) < 8
        ),
        "TANDEM_ISSUER must be an https URL in production: the address that practices has outside.": (
            urlsplit(settings.issuer).scheme != "https"
        ),
        "TANDEM_WEB_URL must be an https URL in production: the address at which people sign in.": (
            bool(settings.web_url) and urlsplit(settings.web_url).scheme != "https"
        ),
        **_unfit_brokers("AMQP", settings.amqp_url),
        **_not_own("amqp_url", settings),
        **_unfit_database("MONGO", settings.mongo_url),
        **_not_own("mongo_url", settings),
        **(_unfit_administrators(settings) if settings.administered else {}),
        # One with a user gets no password without TLS: smtp:// means STARTTLS then (practices/mailer).
        "TANDEM_SMTP_URL must not be the development mailbox in production: name a mail server with user "
        "and password.": bool(settings.smtp_url) and not (mail.username and mail.password),
    }
    return [sentence for sentence, unfit in checks.items() if unfit]


def _not_own(name: str, settings: "Settings") -> dict[str, bool]:
    """Who names no user at all is told that already."""
    return {
        f"{_own_user(name, settings)}, in production: each has rights of its own.": any(
            urlsplit(url).username and prefix_of_user(url, settings.service) is None
            for url in _urls(settings, name)
        )
    }


def _unfit_administrators(settings: "Settings") -> dict[str, bool]:
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
