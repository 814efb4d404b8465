"""The Docker engine and Compose, asked by their command lines."""

import shutil
import subprocess
from collections.abc import Iterable

from scripts import asked

ANSWER_SECONDS, PULL_SECONDS = 5.0, 60.0
COMPOSE = (("docker", "compose"), ("docker-compose",))


def missing(images: Iterable[str]) -> str | None:
    """Why containers of these images cannot be had here; None where they can, their images pulled."""
    if shutil.which("docker") is None:
        return "there is no docker"
    if not _answers("info"):
        return "no Docker engine answers"
    for image in images:
        if not _answers("image", "inspect", image) and not _answers(
            "pull", "-q", image, seconds=PULL_SECONDS
        ):
            return f"the image {image} is not to be had"
    return None


def compose() -> tuple[str, ...] | None:
    """The command that Compose is here; None where there is none."""
    found = (command for command in COMPOSE if shutil.which(command[0]) is not None)
    return next((command for command in found if run("version", program=command).returncode == 0), None)


def run(
    *words: str, seconds: float = 60.0, program: tuple[str, ...] = ("docker",)
) -> subprocess.CompletedProcess[str]:
    command = [*program, *words]
    try:
        return subprocess.run(  # noqa: S603
            command, env=asked.plain(), capture_output=True, text=True, timeout=seconds, check=False
        )
    except FileNotFoundError:
        return subprocess.CompletedProcess(command, 127, "", f"there is no {command[0]}")
    except subprocess.TimeoutExpired:
        said = f"{' '.join(command[:2])} took over {seconds:.0f} s"
        return subprocess.CompletedProcess(command, 1, "", said)


def _answers(*words: str, seconds: float = ANSWER_SECONDS) -> bool:
    return run(*words, seconds=seconds).returncode == 0
