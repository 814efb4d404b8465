"""The first step of every target: nothing of the caller comes along, and trouble is one sentence."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from scripts.place import PROJECT
from tests.scripts.copies import PATH, Copy, make_copy


@pytest.fixture
def copy(tmp_path: Path) -> Copy:
    return make_copy(tmp_path, {})


def _program(folder: Path, name: str, script: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_only_what_is_named_comes_along() -> None:
    hostile = {"PYTHONPATH": "/x", "PIP_INDEX_URL": "http://x", "UV_OFFLINE": "1", "TANDEM_MAIL_PORT": "8126"}

    shown = subprocess.run(
        [PROJECT / "scripts" / "run", "env"],
        env={"PATH": PATH, "HOME": "/root", **hostile},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()

    names = {line.partition("=")[0] for line in shown}
    assert {"PATH", "HOME", "LANG", "TANDEM_MAIL_PORT"} <= names
    assert not {"PYTHONPATH", "PIP_INDEX_URL", "UV_OFFLINE"} & names


def test_a_python_without_venv_is_named_with_the_way_out(copy: Copy) -> None:
    (copy.path / ".venv").unlink()
    _program(copy.path / "bin", "python3", 'case "$2" in *ensurepip*) exit 1;; esac')

    up = copy.make("up", PATH=f"{copy.path}/bin:{PATH}")

    assert "cannot make environments: run apt-get install python3-venv" in up.stderr
    assert up.returncode != 0


def test_an_old_python_is_named(copy: Copy) -> None:
    (copy.path / ".venv").unlink()
    _program(copy.path / "bin", "python3", '[ "$1" = -V ] && echo Python 3.9.2 && exit; exit 1')

    up = copy.make("up", PATH=f"{copy.path}/bin:{PATH}")

    assert "Tandem needs Python 3.11 or newer" in up.stderr
    assert "Python 3.9.2" in up.stderr


def test_help_needs_nothing_at_all(copy: Copy) -> None:
    (copy.path / ".venv").unlink()

    shown = copy.make()

    assert "make up" in shown.stdout
    assert not (copy.path / ".venv").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission_is_named(copy: Copy) -> None:
    copy.path.chmod(0o555)

    up = copy.make("up")

    assert "permission" in up.stderr


def test_a_group_is_installed_once_asked_for_and_stays(copy: Copy) -> None:
    (copy.path / ".venv").unlink()
    (copy.path / "build" / "groups").unlink()
    uv = copy.path / "build" / "uv"
    uv.mkdir(parents=True)
    _program(uv / "bin", "uv", f'mkdir -p .venv/bin; echo "$@" >> {copy.path}/asked')
    shutil.copy(copy.path / "scripts" / "uv.txt", uv / ".made")

    for group in ("", "bench", "local", ""):
        subprocess.run(
            ["/bin/bash", copy.path / "scripts" / "environment", group], env={"PATH": PATH}, check=True
        )

    asked = [line.split("--no-default-groups ")[1] for line in (copy.path / "asked").read_text().splitlines()]
    alone, with_bench, with_both = (
        "--group dev",
        "--group dev --group bench",
        "--group dev --group local --group bench",
    )
    # The last is asked for twice: there is no python in this .venv, so it counts as missing.
    assert asked == [alone, with_bench, with_both, with_both]
