"""make images: build the images of all services and the mailbox, or those named, and say what each adds."""

import re
import subprocess
import sys
import time
import tomllib

from scripts import engine, parts, trouble
from scripts.place import PROJECT
from scripts.telling import line
from scripts.trouble import Trouble

BUILD_SECONDS = 600.0
LOG = PROJECT / "build" / "images.log"
MAILBOX = "mailbox"


def main() -> None:
    only, known = sys.argv[1:], names()
    if unknown := set(only) - set(known):
        raise Trouble(f"There is no image {' or '.join(sorted(unknown))}: name some of {', '.join(known)}.")
    if why := missing():
        raise Trouble(f"The images cannot be built, because {why}: see to that, then try again.")
    for name in only or known:
        began = time.monotonic()
        image = build(name, version())
        took = f"[dim]({time.monotonic() - began:.1f} s)[/]"
        line(f"[green]✓[/] {image}, {added(image) / 1e6:.1f} MB over {base()} {took}")


def missing() -> str | None:
    """Why images cannot be built here; None where they can."""
    return engine.missing([base()])


def names() -> list[str]:
    return [*parts.services(), MAILBOX]


def build(name: str, tag: str) -> str:
    """Build one image, of which the engine keeps what did not change; gives its name and tag."""
    image = f"tandem-{name}:{tag}"
    # The host's network, because only the way on which this machine reaches PyPI is known to work.
    options = ["--network", "host", "--force-rm", *_of(name), "--tag", image]
    done = engine.run("build", *options, str(PROJECT), seconds=BUILD_SECONDS)
    LOG.write_text(done.stdout + done.stderr)
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no reason given"]
        raise Trouble(f"{image} could not be built ({said[-1]}): see {LOG}, then try again.")
    return image


def _of(name: str) -> list[str]:
    """The options that say what is built."""
    if name == MAILBOX:
        return ["--file", str(PROJECT / "deploy" / "mailbox.Dockerfile")]
    given = {"SERVICE": name, "VERSION": version(), **commit()}
    return [word for argument, value in given.items() for word in ("--build-arg", f"{argument}={value}")]


def version() -> str:
    """Of the project, and so of its images; deploy/k8s/release has to name the same."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return str(project["version"])


def base() -> str:
    """The image that ours are built on."""
    found = re.search(r"^ARG BASE=(\S+)$", (PROJECT / "Dockerfile").read_text(), re.MULTILINE)
    assert found is not None  # noqa: S101 - the Dockerfile's first instruction
    return found[1]


def added(image: str) -> int:
    """Bytes that an image has over its base."""
    ours, below = (
        int(engine.run("image", "inspect", "-f", "{{.Size}}", name).stdout) for name in (image, base())
    )
    return ours - below


def commit() -> dict[str, str]:
    """Which commit this is, and whether files differ from it; nothing where there is no history."""
    return {
        "REVISION": _git("describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"),
        "CREATED": _git("log", "-1", "--format=%cI"),
    }


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=PROJECT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


if __name__ == "__main__":
    trouble.run(main)
