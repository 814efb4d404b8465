"""Settings come from the environment only, and everything wrong with them is told at once."""

import base64
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest
from kombu import Connection

from scripts import asked
from shared.settings import Settings, SettingsRefused, variable
from shared.settings.urls import logins, prefix_of_user

KEY = base64.b64encode(b"random, we say; 32 bytes of them").decode()
ARN = "arn:aws:kms:eu-west-1:123456789012:key/ab-12"
MASTER_KEY = base64.b64encode(bytes(range(96))).decode()
PRODUCTION = {
    "TANDEM_MONGO_URL": "mongodb://goals:pw@db:27017/?tls=true",
    "TANDEM_AMQP_URL": "amqps://goals:pw@broker:5671/tandem",
    "TANDEM_ISSUER": "https://practices.example",
    "TANDEM_JWKS_URL": "https://practices.example/.well-known/jwks.json",
    "TANDEM_SECRET_KEY": KEY,
    "TANDEM_MASTER_KEY": MASTER_KEY,
    "TANDEM_SMTP_URL": "smtps://tandem:pw@mail.example:465",
    "TANDEM_CONTACT_PUBLIC_KEY": base64.b64encode(bytes(32)).decode(),
    "TANDEM_CONTACT_PRIVATE_KEY": base64.b64encode(bytes(32)).decode(),
    "TANDEM_MAIL_FROM": "sign-in@mail.example",
}


def production(service: str) -> dict[str, str]:
    """The same for another service, as a user of its own."""
    return {name: value.replace("//goals:", f"//{service}:") for name, value in PRODUCTION.items()}


def refusal(environ: dict[str, str], service: str = "goals") -> str:
    with pytest.raises(SettingsRefused) as refused:
        Settings.read(service, environ)
    return str(refused.value)


def test_everything_missing_is_reported_at_once() -> None:
    told = refusal({})

    names = ("MONGO_URL", "AMQP_URL", "ISSUER", "JWKS_URL", "SECRET_KEY", "MASTER_KEY")
    assert all(f"TANDEM_{name} is not set" in told for name in names)
    assert "SMTP_URL" not in told


def test_a_setting_that_only_practices_needs_is_asked_of_practices_only() -> None:
    def without(service: str) -> dict[str, str]:
        return {name: value for name, value in production(service).items() if name != "TANDEM_SMTP_URL"}

    assert "TANDEM_SMTP_URL is not set" in refusal(without("practices"), "practices")
    assert Settings.read("goals", without("goals")).smtp_url == ""


def test_people_sign_in_at_the_issuer_unless_told_elsewhere() -> None:
    elsewhere = {**PRODUCTION, "TANDEM_WEB_URL": "https://start.example"}

    assert Settings.read("goals", PRODUCTION).sign_in_url == "https://practices.example"
    assert Settings.read("goals", elsewhere).sign_in_url == "https://start.example"


def test_any_setting_may_be_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_text(KEY + "\n")
    environ = {**PRODUCTION, "TANDEM_SECRET_KEY_FILE": str(secret)}
    del environ["TANDEM_SECRET_KEY"]

    assert Settings.read("goals", environ).secret_key == KEY


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    secret = tmp_path / "key"
    secret.write_bytes(b"\xff\xfe\x00")
    environ = {**PRODUCTION, "TANDEM_SECRET_KEY_FILE": str(secret)}
    del environ["TANDEM_SECRET_KEY"]

    assert "TANDEM_SECRET_KEY must be text" in refusal(environ)


@pytest.mark.parametrize("reason", ["No such file or directory", "File name too long", "Is a directory"])
def test_a_file_that_cannot_be_read_is_told_without_its_name(tmp_path: Path, reason: str) -> None:
    """It may be the secret itself, put there by mistake."""
    named = {
        "No such file or directory": "mongodb://goals:hunter2@h/",
        "File name too long": "hunter2" * 40,
        "Is a directory": str(tmp_path),
    }[reason]
    environ = {**PRODUCTION, "TANDEM_MONGO_URL_FILE": named}
    del environ["TANDEM_MONGO_URL"]

    assert refusal(environ) == (
        f"TANDEM_MONGO_URL cannot be read from the file that its _FILE names: {reason}."
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "0", "must be a port"),
        ("PORT", "http", "must be a port"),
        ("METRICS_PORT", "65536", "must be a port"),
        ("ENVIRONMENT", "staging", "must be development or production"),
        ("SECRET_KEY", "short", "base64 of at least 32"),
        ("SECRET_KEY", base64.b64encode(b"k" * 31).decode(), "base64 of at least 32"),
        ("MASTER_KEY", base64.b64encode(b"k" * 95).decode(), "base64 of 96 random bytes"),
        ("MASTER_KEY", base64.b64encode(b"k" * 97).decode(), "base64 of 96 random bytes"),
        ("MASTER_KEY", "aws:key/1", "or name a key of AWS, Google Cloud or Azure"),
        ("MASTER_KEY", f"aws:{ARN}?endpoint=", "or name a key of AWS, Google Cloud or Azure"),
        (
            "MASTER_KEY",
            "gcp:projects/p/locations/l/keyRings/r",
            "or name a key of AWS, Google Cloud or Azure",
        ),
        ("MASTER_KEY", "azure:http://vault/keys/name", "or name a key of AWS, Google Cloud or Azure"),
        ("MASTER_KEY", f"aws:{ARN}", "TANDEM_KMS_CREDENTIALS must have credentials for aws"),
        ("FORMER_MASTER_KEY", f"aws:{ARN}", "for aws, where TANDEM_FORMER_MASTER_KEY is"),
        ("CONTACT_PUBLIC_KEY", base64.b64encode(bytes(31)).decode(), "base64 of an X25519 key of 32 bytes"),
        ("CONTACT_PRIVATE_KEY", "ß", "TANDEM_CONTACT_PRIVATE_KEY must be base64 of an X25519 key"),
        ("KMS_CREDENTIALS", "{", "TANDEM_KMS_CREDENTIALS must be a JSON object"),
        ("KMS_CREDENTIALS", "[]", "TANDEM_KMS_CREDENTIALS must be a JSON object"),
        ("FORMER_MASTER_KEY", "é" * 128, "TANDEM_FORMER_MASTER_KEY must be base64 of 96 random bytes"),
        ("MONGO_URL", "http://db", "must be a URL that begins with mongodb"),
        ("ISSUER", "https:", "must be a URL that begins with http"),
        ("WEB_URL", "start.example", "must be a URL that begins with http"),
        ("JWKS_URL", "https:///jwks.json", "must be a URL that begins with http"),
        ("SMTP_URL", "smtp://u:p@", "must be a URL that begins with smtp"),
        ("SMTP_URL", "smtp://u:p@:25", "must be a URL that begins with smtp"),
        ("AMQP_URL", "amqps://goals:pw@/tandem", "must be a URL that begins with amqp"),
        ("MONGO_URL", "mongodb://goals:pw@/?tls=true", "must be a URL that begins with mongodb"),
        ("MONGO_URL", "mongodb://goals:pw@db/?tls\n=true", "must be a URL that begins with mongodb"),
        ("AMQP_URL", "localhost", "must be a URL that begins with amqp"),
        ("AMQP_URL", "amqp://127.0.0.1:xyz/", "must be a URL that begins with amqp"),
        ("AMQP_URL", "amqp://[x", "must be a URL that begins with amqp"),
        ("AMQP_URL", "amqps://goals:pw@broker:5671/;", "must be a URL that begins with amqp"),
        ("MONGO_URL", "mongodb://[bad", "must be a URL that begins with mongodb"),
        ("MONGO_URL", "mongodb://127.0.0.1:99999/", "must be"),
        ("PORT", "9" * 5_000, "must be a port"),
    ],
)
def test_what_is_malformed_is_told(name: str, value: str, told: str) -> None:
    assert told in refusal({**PRODUCTION, f"TANDEM_{name}": value})


ISSUER = "TANDEM_ISSUER must be an https URL in production: the address that practices has outside."
WEB = "TANDEM_WEB_URL must be an https URL in production: the address at which people sign in."
AMQP_TLS = "TANDEM_AMQP_URL must use TLS in production: begin it with amqps://."
AMQP_USER = "TANDEM_AMQP_URL must name a user and password in production: amqps://user:password@host/vhost."
GUEST = (
    "TANDEM_ADMIN_AMQP_URL must not use the user guest in production, whose password everybody knows: "
    "name another."
)
AMQP_OWN = (
    "TANDEM_AMQP_URL must name the service's own user, goals or one that ends with .goals, in production: "
    "each has rights of its own."
)
MONGO_OWN = AMQP_OWN.replace("AMQP", "MONGO")
AMQP_OPTIONS = "TANDEM_AMQP_URL must have no options in production: take out the ? and what follows it."
MONGO_USER = "TANDEM_MONGO_URL must name a user and password in production: mongodb://user:password@host/."
MONGO_TLS = "TANDEM_MONGO_URL must use TLS in production: add tls=true to its options."
MONGO_CERTIFICATE = (
    "TANDEM_MONGO_URL must have the server's certificate checked in production: take out tlsInsecure, "
    "tlsAllowInvalidCertificates and tlsAllowInvalidHostnames."
)
MAILBOX = (
    "TANDEM_SMTP_URL must not be the development mailbox in production: name a mail server with user and "
    "password."
)
MONGO_PLAIN = (
    "TANDEM_MONGO_URL must have plain options in production: ?name=value&name=value, names of letters alone, "
    "none blank, none twice."
)
HASH = "TANDEM_MONGO_URL must not have a # in production: what follows it is read in more than one way."
KEY_OF_FEW = (
    "TANDEM_SECRET_KEY must be random in production, and has fewer than 8 different bytes: "
    "openssl rand -base64 32"
)
MASTER_KEY_OF_FEW = (
    "TANDEM_MASTER_KEY must be random in production, and has fewer than 8 different bytes: "
    "openssl rand -base64 96 | tr -d '\\n'"
)
DB = "mongodb://goals:pw@db:27017/"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("ISSUER", "http://practices.example", ISSUER),
        ("WEB_URL", "http://start.example", WEB),
        ("AMQP_URL", "amqp://goals:pw@broker:5672/tandem", AMQP_TLS),
        ("AMQP_URL", "amqps://goals:pw@one:5671/;amqp://goals:pw@two:5672/", AMQP_TLS),
        ("AMQP_URL", "amqps://broker:5671/tandem", AMQP_USER),
        ("AMQP_URL", "amqps://goals@broker:5671/tandem", AMQP_USER),
        ("AMQP_URL", "amqps://:pw@broker:5671/tandem", AMQP_USER),
        ("AMQP_URL", "amqps://guest:pw@broker:5671/tandem", AMQP_OWN),
        ("AMQP_URL", "amqps://feedback:pw@broker:5671/tandem", AMQP_OWN),
        ("AMQP_URL", "amqps://goals:pw@one:5671/;amqps://tandem:pw@two:5671/", AMQP_OWN),
        ("MONGO_URL", "mongodb://tandem:pw@db:27017/?tls=true", MONGO_OWN),
        ("MONGO_URL", "mongodb://mygoals:pw@db:27017/?tls=true", MONGO_OWN),
        ("AMQP_URL", "amqps://goals:pw@broker:5671/tandem?ssl_cert_reqs=CERT_NONE", AMQP_OPTIONS),
        ("AMQP_URL", "amqps://goals:pw@one:5671/;amqps://goals:pw@two:5671/?heartbeat=0", AMQP_OPTIONS),
        ("MONGO_URL", "mongodb://db:27017/?tls=true", MONGO_USER),
        ("MONGO_URL", "mongodb://goals@db:27017/?tls=true", MONGO_USER),
        ("MONGO_URL", DB, MONGO_TLS),
        ("MONGO_URL", f"{DB}?nottls=true", MONGO_TLS),
        ("MONGO_URL", f"{DB}?tls=false", MONGO_TLS),
        ("MONGO_URL", f"{DB}?tls=True", MONGO_TLS),
        ("MONGO_URL", f"{DB}?tls=true&ssl=false", MONGO_TLS),
        ("MONGO_URL", "mongodb+srv://goals:pw@db/?ssl=false", MONGO_TLS),
        ("MONGO_URL", f"{DB}?tls=true&tlsInsecure=true", MONGO_CERTIFICATE),
        ("MONGO_URL", f"{DB}?tls=true&tlsallowinvalidcertificates=true", MONGO_CERTIFICATE),
        ("MONGO_URL", f"{DB}?tls=true;tlsAllowInvalidHostnames=true", MONGO_CERTIFICATE),
        ("MONGO_URL", f"{DB}?tls=true#x", f"{HASH}\n{MONGO_TLS}"),
        ("MONGO_URL", f"{DB}?tls=true#", f"{HASH}\n{MONGO_TLS}"),
        ("MONGO_URL", f"{DB}?tls=true&a=b#&tlsInsecure=true", f"{HASH}\n{MONGO_CERTIFICATE}"),
        ("MONGO_URL", f"{DB}?t%6cs=true", f"{MONGO_PLAIN}\n{MONGO_TLS}"),
        ("MONGO_URL", f"{DB}?%74ls=true", f"{MONGO_PLAIN}\n{MONGO_TLS}"),
        ("MONGO_URL", f"{DB}?tls=true&+tlsInsecure=true", MONGO_PLAIN),
        ("MONGO_URL", f"{DB}?tls=true&tls=", f"{MONGO_PLAIN}\n{MONGO_TLS}"),
        ("MONGO_URL", f"{DB}?tls=true&w=", MONGO_PLAIN),
        ("MONGO_URL", f"{DB}?tls=true&TLS=true", MONGO_PLAIN),
        ("MONGO_URL", f"{DB}?tls=true&tls", f"{MONGO_PLAIN}\n{MONGO_TLS}"),
        ("MONGO_URL", f"{DB}?tls=true&", MONGO_PLAIN),
        ("MONGO_URL", f"{DB}?tls=true?tls=false", MONGO_TLS),
        ("MONGO_URL", "mongodb+srv://goals:pw@db/?tls=", f"{MONGO_PLAIN}\n{MONGO_TLS}"),
        ("SECRET_KEY", base64.b64encode(b"k" * 32).decode(), KEY_OF_FEW),
        ("SECRET_KEY", base64.b64encode(b"0123456" * 5).decode(), KEY_OF_FEW),
        ("MASTER_KEY", base64.b64encode(b"k" * 96).decode(), MASTER_KEY_OF_FEW),
        ("SMTP_URL", "smtp://:p@mailbox:8025", MAILBOX),
        ("SMTP_URL", "smtp://127.0.0.1:8125", MAILBOX),
        ("SMTP_URL", "smtps://tandem@mail.example", MAILBOX),
    ],
)
def test_production_refuses_what_only_development_may_have(name: str, value: str, sentence: str) -> None:
    service = "practices" if name == "SMTP_URL" else "goals"
    environ = {**production(service), f"TANDEM_{name}": value}

    assert refusal(environ, service) == sentence
    assert Settings.read(service, {**environ, "TANDEM_ENVIRONMENT": "development"}).development


@pytest.mark.parametrize("name", ["AMQP_URL", "ISSUER", "JWKS_URL", "SMTP_URL"])
def test_production_takes_no_fragment_in_any_url(name: str) -> None:
    environ = {**PRODUCTION, f"TANDEM_{name}": PRODUCTION[f"TANDEM_{name}"] + "#x"}

    assert refusal(environ) == HASH.replace("MONGO_URL", name)


ADMIN = {
    "TANDEM_ADMIN_MONGO_URL": "mongodb://root:pw@db:27017/?tls=true",
    "TANDEM_ADMIN_AMQP_URL": "amqps://root:pw@broker:5671/tandem",
    "TANDEM_ADMIN_RABBITMQ_URL": "https://root:pw@broker:15671",
}


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MONGO_URL", "mongodb://root:pw@db:27017/", MONGO_TLS.replace("MONGO", "ADMIN_MONGO")),
        ("AMQP_URL", "amqp://root:pw@broker/tandem", AMQP_TLS.replace("AMQP", "ADMIN_AMQP", 1)),
        ("AMQP_URL", "amqps://guest:pw@broker/tandem", GUEST),
        ("AMQP_URL", "amqps://gu%65st:pw@broker/tandem", GUEST),
        (
            "RABBITMQ_URL",
            "http://root:pw@broker:15672",
            "TANDEM_ADMIN_RABBITMQ_URL must be an https URL in production: it holds a password.",
        ),
    ],
)
def test_production_asks_the_same_of_the_administrators(name: str, value: str, sentence: str) -> None:
    good = {**PRODUCTION, **ADMIN}

    assert refusal({**good, f"TANDEM_ADMIN_{name}": value}) == sentence
    assert Settings.read("goals", good).administered


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGO_URL", "mongodb://feedback:pw@db:27017/?tls=true"),
        ("MONGO_URL", "mongodb://goals@db:27017/?tls=true"),
        ("AMQP_URL", "amqps://feedback:pw@broker/tandem"),
        ("AMQP_URL", "amqps://prod-feedback:pw@broker/tandem"),
        ("AMQP_URL", "amqps://guest:pw@broker/tandem"),
        ("AMQP_URL", "amqps://prod%2Egoals:pw@broker/tandem"),
    ],
)
@pytest.mark.parametrize("environment", ["development", "production"])
def test_prepare_makes_no_user_but_the_services_own(name: str, value: str, environment: str) -> None:
    given = {**PRODUCTION, **ADMIN, "TANDEM_ADMIN_AMQP_URL": "amqps://prod.goals:pw@broker/tandem"}

    assert refusal({**given, f"TANDEM_{name}": value, "TANDEM_ENVIRONMENT": environment}) == (
        f"TANDEM_{name} must name the service's own user, goals or one that ends with .goals, "
        f"with a password, and not the one that TANDEM_ADMIN_{name} names: prepare makes it."
    )


@pytest.mark.parametrize(
    ("url", "prefix"),
    [
        ("amqps://goals:pw@broker/tandem", ""),
        ("amqps://staging.goals:pw@broker/tandem", "staging."),
        ("amqps://a%2Fb-goals:pw@broker/tandem", "a/b-"),
        ("amqps://goals:pw@[::1];amqps://other:pw@broker", ""),
        ("mongodb://staging_go%61ls:pw@one:27017,two:27017/?tls=true", "staging_"),
        ("mongodb://goals:p;w@db", ""),
        ("amqps://mygoals:pw@broker/tandem", None),
        ("amqps://goals.feedback:pw@broker/tandem", None),
        ("amqps://goals%0A:pw@broker/tandem", None),
        ("amqps://Goals:pw@broker/tandem", None),
        ("amqps://guest:pw@broker;amqps://goals:pw@broker", None),
        ("amqp://127.0.0.1//", None),
    ],
)
def test_what_comes_before_the_services_name_in_that_of_its_user(url: str, prefix: str | None) -> None:
    assert prefix_of_user(url, "goals") == prefix


@pytest.mark.parametrize(
    "url",
    [
        "amqps://goals:p%40w@broker/t%2Fv",
        "amqp://goals:pw@broker//",
        "amqp://goals:pw@broker/%2F",
        "amqp://goals:pw@broker/",
        "amqp://goals:pw@broker",
        "amqp://goals:pw@broker//v",
    ],
)
def test_a_login_is_what_kombu_reads(url: str) -> None:
    read = Connection(url)

    assert logins(url) == [(read.userid, read.password, read.virtual_host)]


ONE_LOGIN = "TANDEM_AMQP_URL must name one user, password and vhost for all brokers."
ONE_VHOST = "TANDEM_AMQP_URL and TANDEM_ADMIN_AMQP_URL must name the same vhost."


@pytest.mark.parametrize(
    ("own", "admin", "sentence"),
    [
        ("amqps://goals:pw@a/v;amqps://x.goals:pw@b/v", "amqps://r:pw@a/v", ONE_LOGIN),
        ("amqps://goals:pw@a/v;amqps://goals:px@b/v", "amqps://r:pw@a/v", ONE_LOGIN),
        ("amqps://goals:pw@a/v;amqps://goals:pw@b/w", "amqps://r:pw@a/v", ONE_LOGIN),
        ("amqps://goals:pw@a/v", "amqps://r:pw@a/w", ONE_VHOST),
        ("amqps://goals:pw@a/v", "amqps://r:pw@a/v;amqps://r:pw@b/w", ONE_VHOST),
        ("amqps://goals:pw@a", "amqps://r:pw@a/v", ONE_VHOST),
    ],
)
def test_prepare_knows_one_login_and_one_vhost(own: str, admin: str, sentence: str) -> None:
    given = {**PRODUCTION, **ADMIN, "TANDEM_AMQP_URL": own, "TANDEM_ADMIN_AMQP_URL": admin}

    assert refusal(given) == sentence


@pytest.mark.parametrize(
    ("own", "admin"),
    [
        ("amqps://goals:pw@a/v;amqps://goals:pw@b/v", "amqps://r:pw@a/v"),
        ("amqps://goals:pw@a/v;amqps://go%61ls:pw@b/%76", "amqps://r:pw@a/v;amqps://s:pw@b/v"),
        ("amqps://goals:pw@a//;amqps://goals:pw@b", "amqps://r:pw@a/%2F"),
    ],
)
def test_prepare_takes_a_cluster_and_every_spelling_of_a_vhost(own: str, admin: str) -> None:
    given = {**PRODUCTION, **ADMIN, "TANDEM_AMQP_URL": own, "TANDEM_ADMIN_AMQP_URL": admin}

    assert Settings.read("goals", given).amqp_url == own


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("JWKS_URL", "http://practices-web:8000/.well-known/jwks.json"),
        ("AMQP_URL", "amqps://goals:pw@one:5671/tandem;amqps://goals:pw@two:5671/tandem"),
        ("AMQP_URL", "amqps://staging.goals:pw@broker/tandem"),
        ("MONGO_URL", "mongodb://staging_goals:pw@db/?tls=true"),
        ("MONGO_URL", "mongodb://goals:pw@one:27017,two:27017/?replicaSet=rs0&ssl=true"),
        ("MONGO_URL", "mongodb://goals:pw@db/?TLS=true;replicaSet=rs0"),
        ("MONGO_URL", "mongodb+srv://goals:pw@db.example/"),
        ("MONGO_URL", f"{DB}?tls=true&tlsInsecure=false"),
        ("SMTP_URL", "smtp://tandem:pw@mail.example:587"),
        ("SMTP_URL", "smtps://tandem:pw@mail.example"),
    ],
)
def test_production_takes_every_spelling_that_is_safe(name: str, value: str) -> None:
    settings = Settings.read("goals", {**PRODUCTION, f"TANDEM_{name}": value})

    assert not settings.development
    assert getattr(settings, name.lower()) == value


def test_all_that_production_refuses_is_told_at_once() -> None:
    environ = {
        **PRODUCTION,
        "TANDEM_ISSUER": "http://practices.example",
        "TANDEM_AMQP_URL": "amqp://guest:guest@broker:5672/",
        "TANDEM_MONGO_URL": "mongodb://db:27017/",
    }

    assert refusal(environ).splitlines() == [ISSUER, AMQP_TLS, AMQP_OWN, MONGO_USER, MONGO_TLS]


@pytest.mark.parametrize("part", ["prepare", "web", "worker"])
def test_a_process_that_is_refused_ends_with_the_sentences_alone(part: str) -> None:
    """As an operator meets it: an exit code, one line for each thing that is wrong, no traceback."""
    environ = {
        **PRODUCTION,
        "TANDEM_ISSUER": "http://practices.example",
        "TANDEM_MONGO_URL": f"{DB}?tls=true&tlsInsecure=true",
    }

    done = subprocess.run(
        [sys.executable, "-m", "services.goals", part],
        cwd=Path(__file__).parents[2],
        env={**asked.plain(), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.splitlines() == [f"goals: {ISSUER}", f"goals: {MONGO_CERTIFICATE}"]


def test_keys_differ_by_service_and_purpose_and_stay_the_same() -> None:
    goals, feedback = (Settings.read(name, production(name)) for name in ("goals", "feedback"))

    keys = [goals.key("cursors"), goals.key("webhooks"), feedback.key("cursors")]
    assert len(set(keys)) == 3
    assert all(len(key) == 32 for key in keys)
    assert goals.key("cursors") == Settings.read("goals", PRODUCTION).key("cursors")


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text().splitlines()

    named = {line.partition("=")[0] for line in example if line and not line.startswith("#")}
    assert named == {variable(setting) for setting in fields(Settings) if setting.name != "service"}
