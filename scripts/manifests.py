"""make manifests: render every base and overlay of deploy/k8s, validate what comes out, and ask our policy.

Where kubectl is missing nothing is rendered. The files are complete manifests, and are then validated and
judged as they are written; only the names and patches that kustomize puts on top are unseen.
"""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml

from scripts import asked, images, parts, policy, trouble
from scripts.place import PROJECT
from scripts.policy import Object
from scripts.telling import line
from scripts.trouble import Trouble

K8S = PROJECT / "deploy" / "k8s"
VERSIONS = ("1.32", "1.37")
SHARED = "shared"


def main() -> int:
    renders = bool(renderer())
    if not renders:
        line("[yellow]-[/] Rendering: left out, neither kubectl nor kustomize is there; judged as written")
    found = [
        *missing(),
        *released(),
        *(problem for folder in folders() for problem in _problems(folder, renders)),
    ]
    sys.stdout.writelines(f"{problem}\n" for problem in found)
    if not found:
        count, how = len(folders()), "rendered" if renders else "as written"
        line(
            f"[green]✓[/] {count} folders, {how}, hold for Kubernetes {' and '.join(VERSIONS)} and our policy"
        )
    return 1 if found or (asked.all_tools() and not renders) else 0


def folders(root: Path = K8S) -> list[Path]:
    """Each that can be applied."""
    all_of_them = [file.parent for file in sorted(root.rglob("kustomization.yaml"))]
    return [
        one for one in all_of_them if _kustomization(one)["kind"] == "Kustomization" and one.name != SHARED
    ]


def missing(root: Path = K8S, services: list[str] | None = None) -> Iterator[str]:
    """What a service of services/ lacks here."""
    listed = _kustomization(root / "platform")["resources"]
    for service in parts.services() if services is None else services:
        if not (root / service / "kustomization.yaml").exists():
            yield f"deploy/k8s/{service} is missing: make it as the other services' folders are."
            continue
        if f"../{service}" not in listed:
            yield f"deploy/k8s/platform/kustomization.yaml does not list {service}: add its line."
        yield from policy.missing(service, written(root / service))


def released(root: Path = K8S) -> Iterator[str]:
    """Where the release that runs is not the one that `make images` builds."""
    for image in _kustomization(root / "release")["images"]:
        if image["newTag"] != images.version():
            built = f"pyproject.toml {images.version()}"
            yield f"deploy/k8s/release names {image['newTag']}, and {built}: let them agree."


def written(folder: Path) -> list[Object]:
    """The objects as the files hold them; of kustomize's changes, only the tags of images are made."""
    kustomization = _kustomization(folder)
    objects = [
        one
        for entry in kustomization.get("resources", ())
        for one in (
            written(folder / entry) if (folder / entry).is_dir() else _objects((folder / entry).read_text())
        )
    ]
    tags = {
        image["name"]: image["newTag"]
        for layer in [folder, *(folder / component for component in kustomization.get("components", ()))]
        for image in _kustomization(layer).get("images", ())
        if "newTag" in image
    }
    for container in (
        each for one in objects if one["kind"] in policy.WORKLOADS for each in policy.containers(one)
    ):
        if container["image"] in tags:
            container["image"] += f":{tags[container['image']]}"
    return objects


def rendered(folder: Path) -> list[Object]:
    """The objects that a cluster would get."""
    done = subprocess.run([*renderer(), folder], capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise Trouble(f"{folder} cannot be rendered: {done.stderr.strip()}")
    return _objects(done.stdout)


@cache
def renderer() -> tuple[str, ...]:
    """The command that renders a folder; empty where there is none."""
    for command in (("kubectl", "kustomize"), ("kustomize", "build")):
        if shutil.which(command[0]):
            return command
    return ()


def invalid(objects: list[Object]) -> Iterator[str]:
    """What Kubernetes would refuse or ignore, a misspelt field for instance."""
    for version in VERSIONS:
        for one in objects:
            try:
                kubernetes_validate.validate(one, version, strict=True)
            except kubernetes_validate.ValidationError as error:
                place = ".".join(map(str, error.path)) or "it"
                yield f"{policy.name(one)} is not valid for Kubernetes {version}: {place}: {error.message}."
            except kubernetes_validate.SchemaNotFoundError:
                yield f"{policy.name(one)} is of a kind that Kubernetes {version} does not have."


def _problems(folder: Path, renders: bool) -> Iterator[str]:
    objects = rendered(folder) if renders else written(folder)
    for problem in [*invalid(objects), *policy.problems(objects)]:
        yield f"{folder.relative_to(PROJECT)}: {problem}"


def _kustomization(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = yaml.safe_load((folder / "kustomization.yaml").read_text())
    return content


def _objects(text: str) -> list[Object]:
    return [one for one in yaml.safe_load_all(text) if one]


if __name__ == "__main__":
    trouble.run(main)
