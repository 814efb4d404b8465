"""Settings come from the environment only, and everything wrong with them is told at once."""

import base64
from dataclasses import fields
from pathlib import Path

import pytest

from shared.settings import Settings, SettingsRefused, variable

KEY = base64.b64encode(b"k" * 32).decode()
PRODUCTION = {
    "TANDEM_MONGO_URL": "mongodb://goals:pw@db:27017/?tls=true",
    "TANDEM_AMQP_URL": "amqps://goals:pw@broker:5671/tandem",
    "TANDEM_ISSUER": "https://practices.example",
    "TANDEM_JWKS_URL": "https://practices.example/.well-known/jwks.json",
    "TANDEM_SECRET_KEY": KEY,
}


def refusal(environ: dict[str, str], service: str = "goals") -> str:
    with pytest.raises(SettingsRefused) as refused:
        Settings.read(service, environ)
    return str(refused.value)


def test_everything_missing_is_reported_at_once() -> None:
    told = refusal({})

    names = ("MONGO_URL", "AMQP_URL", "ISSUER", "JWKS_URL", "SECRET_KEY")
    assert all(f"TANDEM_{name} is not set" in told for name in names)
    assert "SMTP_URL" not in told


def test_a_setting_that_only_practices_needs_is_asked_of_practices_only() -> None:
    assert "TANDEM_SMTP_URL is not set" in refusal(PRODUCTION, "practices")
    assert Settings.read("goals", PRODUCTION).smtp_url == ""


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


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    environ = {**PRODUCTION, "TANDEM_SECRET_KEY_FILE": str(tmp_path / "no")}
    del environ["TANDEM_SECRET_KEY"]

    assert str(tmp_path / "no") in refusal(environ)


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "0", "must be a port"),
        ("PORT", "http", "must be a port"),
        ("METRICS_PORT", "65536", "must be a port"),
        ("ENVIRONMENT", "staging", "must be development or production"),
        ("SECRET_KEY", "short", "base64 of at least 32"),
        ("SECRET_KEY", base64.b64encode(b"k" * 31).decode(), "base64 of at least 32"),
        ("MONGO_URL", "http://db", "must be a URL that begins with mongodb"),
        ("AMQP_URL", "localhost", "must be a URL that begins with amqp"),
        ("AMQP_URL", "amqp://127.0.0.1:xyz/", "must be a URL that begins with amqp"),
        ("AMQP_URL", "amqp://[x", "must be a URL that begins with amqp"),
        ("MONGO_URL", "mongodb://[bad", "must be a URL that begins with mongodb"),
        ("MONGO_URL", "mongodb://127.0.0.1:99999/", "must be"),
        ("PORT", "9" * 5_000, "must be a port"),
    ],
)
def test_what_is_malformed_is_told(name: str, value: str, told: str) -> None:
    assert told in refusal({**PRODUCTION, f"TANDEM_{name}": value})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ISSUER", "http://practices.example"),
        ("AMQP_URL", "amqps://guest:guest@broker:5671/"),
        ("AMQP_URL", "amqp://goals:pw@broker:5672/"),
        ("AMQP_URL", "amqps://broker:5671/"),
        ("AMQP_URL", "amqps://goals:pw@one:5671/;amqp://guest:guest@two:5672/"),
        ("MONGO_URL", "mongodb://goals:pw@db:27017/?nottls=true"),
        ("MONGO_URL", "mongodb://db:27017/?tls=true"),
        ("MONGO_URL", "mongodb://goals:pw@db:27017/"),
        ("SMTP_URL", "smtp://127.0.0.1:8125"),
    ],
)
def test_production_refuses_what_only_development_may_have(name: str, value: str) -> None:
    environ = {**PRODUCTION, f"TANDEM_{name}": value}

    assert f"TANDEM_{name}" in refusal(environ)
    assert Settings.read("goals", {**environ, "TANDEM_ENVIRONMENT": "development"}).development


def test_keys_differ_by_service_and_purpose_and_stay_the_same() -> None:
    goals, feedback = (Settings.read(name, PRODUCTION) for name in ("goals", "feedback"))

    keys = [goals.key("cursors"), goals.key("webhooks"), feedback.key("cursors")]
    assert len(set(keys)) == 3
    assert all(len(key) == 32 for key in keys)
    assert goals.key("cursors") == Settings.read("goals", PRODUCTION).key("cursors")


def test_the_example_names_every_setting_and_no_other() -> None:
    example = (Path(__file__).parents[2] / ".env.example").read_text().splitlines()

    named = {line.partition("=")[0] for line in example if line and not line.startswith("#")}
    assert named == {variable(setting) for setting in fields(Settings) if setting.name != "service"}
