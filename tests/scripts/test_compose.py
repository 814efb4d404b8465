"""The secrets that Compose is given, and what is said where it fails."""

import re
from pathlib import Path

import pytest

from scripts import compose, images
from scripts.compose import read_settings
from scripts.place import PROJECT
from scripts.trouble import Trouble


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What is deploy/.env elsewhere."""
    monkeypatch.setattr(compose, "PROJECT", tmp_path)
    monkeypatch.setattr(compose, "SECRETS", tmp_path / ".env")
    return tmp_path / ".env"


def test_secrets_are_made_once_under_a_name_of_this_folder(env: Path) -> None:
    compose.main()
    first = read_settings(env)
    compose.main()

    assert read_settings(env) == first
    assert first.keys() == {*compose.required(), "COMPOSE_PROJECT_NAME"}
    assert first["COMPOSE_PROJECT_NAME"] == compose.named(env.parent) != compose.named(PROJECT)


def test_an_empty_secret_is_made_and_all_else_is_kept(env: Path) -> None:
    compose.main()
    before = read_settings(env) | {"TANDEM_GOALS_PORT": "9102"}
    del before["COMPOSE_PROJECT_NAME"]  # as before there was one: data lies under the old name
    env.write_text(
        "".join(f"{name}={value}\n" for name, value in (before | {"TANDEM_MONGO_KEY": ""}).items())
    )

    compose.main()

    made = read_settings(env)
    assert made.pop("TANDEM_MONGO_KEY") not in ("", before.pop("TANDEM_MONGO_KEY"))
    assert made == before


def test_containers_that_cannot_be_removed_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docker").write_text(
        '#!/bin/sh\n[ "$2" = version ] || { echo Daemon is away >&2; exit 1; }\n'
    )
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Trouble, match=r"Compose did not remove all of it \(Daemon is away\)"):
        compose.Project("x", tmp_path / "env").down("-v")


def test_what_runs_by_default_is_this_release() -> None:
    defaults = re.findall(r"\$\{TANDEM_VERSION:?-([^}]*)\}", compose.FILE.read_text())

    assert set(defaults) == {images.version()}
