"""The manifests keep our policy, as written and as rendered, and the policy sees each way of breaking it."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from scripts import asked, images, manifests, parts, policy
from scripts.policy import Object
from services.partners import addresses

FOLDERS = [pytest.param(folder, id=folder.name) for folder in manifests.folders()]
Break = Callable[[list[Object]], object]


@pytest.fixture(scope="session", autouse=True)
def copied_whole() -> None:
    """A stranger's copy of the project has these folders too, so that no test here judges nothing."""
    assert {folder.name for folder in manifests.folders()} >= {"platform", "small", *parts.services()}


def render(folder: Path) -> list[Object]:
    if not manifests.renderer():
        assert not asked.all_tools(), "neither kubectl nor kustomize is there"
        pytest.skip("neither kubectl nor kustomize is there")
    return manifests.rendered(folder)


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_files_as_written_are_valid_and_keep_the_policy(folder: Path) -> None:
    objects = manifests.written(folder)

    assert [*manifests.invalid(objects), *policy.problems(objects)] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_what_is_rendered_is_valid_and_keeps_the_policy(folder: Path) -> None:
    objects = render(folder)

    assert [*manifests.invalid(objects), *policy.problems(objects)] == []


def test_every_service_has_its_folder() -> None:
    assert list(manifests.missing()) == []


def test_the_release_is_the_one_that_is_built() -> None:
    assert list(manifests.released()) == []


def test_another_release_is_told(tmp_path: Path) -> None:
    release = shutil.copytree(manifests.K8S / "release", tmp_path / "release") / "kustomization.yaml"
    release.write_text(release.read_text().replace(f"newTag: {images.version()}", "newTag: 99.0.0"))

    (told,) = manifests.released(tmp_path)

    assert told.startswith("deploy/k8s/release names 99.0.0, and pyproject.toml")


def test_every_service_has_its_own_names_and_its_release() -> None:
    objects = render(manifests.K8S / "platform")

    names = [policy.name(one) for one in objects]
    images = {container["image"] for one in deployments(objects) for container in policy.containers(one)}
    versions = {image.rpartition(":")[2] for image in images}
    assert len(names) == len(set(names))
    assert {image.partition(":")[0] for image in images} == {f"tandem-{name}" for name in parts.services()}
    assert len(versions) == 1


def test_each_pod_has_the_secrets_of_its_own_service_and_prepare_the_administrators() -> None:
    for one in render(manifests.K8S / "platform"):
        if one["kind"] in policy.WORKLOADS:
            service = one["metadata"]["labels"]["app.kubernetes.io/name"]
            secrets = [volume["secret"]["secretName"] for volume in pod(one)["volumes"] if "secret" in volume]
            prepares = one["metadata"]["labels"]["app.kubernetes.io/component"] == "prepare"
            assert secrets == [f"{service}-secrets", *(["administrator"] if prepares else [])]


def test_each_reaches_what_it_needs_and_only_senders_the_internet() -> None:
    objects = render(manifests.K8S / "platform")

    reach = {
        (workload["metadata"]["name"], port)
        for workload in deployments(objects)
        for port in out(workload, objects)
    }
    everywhere = {27017, 53}
    assert {name for name, port in reach if port == 8000} == {
        f"{service}-web" for service in parts.services() if service != "practices"
    }
    assert {name for name, port in reach if port in {443, 8443}} == {"partners-sender"}
    assert {name for name, port in reach if port in {25, 465, 587}} == {"practices-worker"}
    assert {name for name, port in reach if port in {5671, 5672}} == {
        f"{service}-worker" for service in parts.services()
    }
    assert {port for _, port in reach} == everywhere | {5671, 5672, 8000, 443, 8443, 25, 465, 587}


def test_only_what_prepares_reaches_the_brokers_management() -> None:
    for folder in (manifests.K8S / "platform", manifests.K8S / "overlays" / "small"):
        objects = render(folder)
        workloads = [one for one in objects if one["kind"] in policy.WORKLOADS]
        reaching = {one["metadata"]["name"] for one in workloads if 15672 in out(one, objects)}
        assert reaching == {f"{service}-prepare" for service in parts.services()}


def test_the_sender_is_kept_from_the_addresses_that_it_refuses_itself() -> None:
    (webhooks,) = [
        one
        for one in manifests.written(manifests.K8S / "partners")
        if policy.name(one) == "NetworkPolicy webhooks"
    ]
    blocks = {
        to["ipBlock"]["cidr"]: set(to["ipBlock"]["except"]) for to in webhooks["spec"]["egress"][0]["to"]
    }

    assert blocks == {
        "0.0.0.0/0": set(addresses._NOT_PUBLIC_V4),
        str(addresses._GLOBAL_UNICAST_V6): set(addresses._NOT_PUBLIC_V6),
    }


def test_a_misspelt_field_is_told() -> None:
    objects = broken(lambda objects: pod(web(objects)).update(enableServiceLink=False))

    assert any("enableServiceLink" in problem for problem in manifests.invalid(objects))


BREAKS: dict[str, tuple[Break, str]] = {
    **{
        f"no {probe}": (lambda objects, probe=probe: container(objects).pop(probe), f"has no {probe}")
        for probe in policy.PROBES
    },
    **{
        f"no {figure}": (
            lambda objects, figure=figure: leave_out(container(objects), f"resources.{figure}"),
            f"has no resources.{figure}",
        )
        for figure in policy.RESOURCES
    },
    **{
        f"no {setting}": (
            lambda objects, setting=setting: leave_out(container(objects), setting),
            f"does not set {setting}",
        )
        for setting in policy.CONTAINER
    },
    **{
        f"no {setting}": (
            lambda objects, setting=setting: leave_out(pod(web(objects)), setting),
            f"does not set {setting}",
        )
        for setting in policy.POD
    },
    "a token": (
        lambda objects: pod(web(objects)).update(automountServiceAccountToken=True),
        "does not set automountServiceAccountToken to False",
    ),
    "privileged": (lambda objects: secure(objects).update(privileged=True), "securityContext.privileged"),
    "a capability": (
        lambda objects: secure(objects)["capabilities"].update(add=["NET_RAW"]),
        "sets securityContext.capabilities.add",
    ),
    "hostNetwork": (lambda objects: pod(web(objects)).update(hostNetwork=True), "sets hostNetwork"),
    "hostPath": (
        lambda objects: pod(web(objects))["volumes"].append({"name": "node", "hostPath": {"path": "/"}}),
        "mounts a folder of its node",
    ),
    "a volume without limit": (
        lambda objects: pod(web(objects))["volumes"].append({"name": "more", "emptyDir": {}}),
        "set its sizeLimit",
    ),
    "a low user": (
        lambda objects: pod(web(objects))["securityContext"].update(runAsUser=1000),
        "may run as a user that its node has",
    ),
    "hostPort": (
        lambda objects: container(objects)["ports"][0].update(hostPort=80),
        "opens port 80 of its node",
    ),
    "NodePort": (lambda objects: spec(objects, "Service web").update(type="NodePort"), "is a NodePort"),
    "LoadBalancer": (
        lambda objects: spec(objects, "Service web").update(type="LoadBalancer"),
        "is a LoadBalancer",
    ),
    "a port more": (
        lambda objects: container(objects)["ports"].append({"name": "debug", "containerPort": 5678}),
        "listens on port 5678, which no NetworkPolicy names",
    ),
    "a policy for every port": (
        lambda objects: spec(objects, "NetworkPolicy requests")["ingress"][0].pop("ports"),
        "has a rule that opens every port",
    ),
    "all egress": (
        lambda objects: spec(objects, "NetworkPolicy servers")["egress"].append({}),
        "has a rule that opens every port",
    ),
    "latest": (lambda objects: container(objects).update(image="tandem:latest"), "runs tandem:latest"),
    "no tag": (
        lambda objects: container(objects).update(image="registry:5000/tandem"),
        "runs registry:5000/tandem",
    ),
    "away in a rollout": (
        lambda objects: web(objects)["spec"]["strategy"]["rollingUpdate"].update(maxUnavailable=1),
        "may be away during a rollout",
    ),
    "killed early": (
        lambda objects: pod(web(objects)).update(terminationGracePeriodSeconds=30),
        "may be killed while it finishes",
    ),
    "no preStop": (lambda objects: container(objects).pop("lifecycle"), "add a preStop sleep"),
    "no Service": (lambda objects: remove(objects, "Service web"), "has no Service that selects its pods"),
    "a Service of others": (
        lambda objects: spec(objects, "Service web")["selector"].update(of="others"),
        "has no Service that selects its pods",
    ),
    "no PodDisruptionBudget": (
        lambda objects: remove(objects, "PodDisruptionBudget web"),
        "has no PodDisruptionBudget that selects its pods",
    ),
    "no NetworkPolicy": (lambda objects: remove(objects, "NetworkPolicy"), "has no NetworkPolicy for Egress"),
    "an open namespace": (
        lambda objects: objects.append({"kind": "Namespace", "metadata": {"name": "tandem"}}),
        "does not enforce Pod Security restricted",
    ),
}


@pytest.mark.parametrize("way", BREAKS)
def test_the_policy_sees(way: str) -> None:
    break_it, sentence = BREAKS[way]

    told = list(policy.problems(broken(break_it)))

    assert any(sentence in problem for problem in told), told
    assert all(problem.endswith(".") for problem in told)


@pytest.mark.parametrize("kind", policy.OF_EACH_SERVICE)
def test_a_service_without_one_of_its_objects_is_told(kind: str) -> None:
    told = list(policy.missing("goals", broken(lambda objects: remove(objects, kind))))

    assert told == [f"deploy/k8s/goals has no {kind}: every service has one, by ../shared."]


def test_a_service_without_its_folder_or_its_line_is_told(tmp_path: Path) -> None:
    root = shutil.copytree(manifests.K8S, tmp_path / "k8s")
    shutil.copytree(root / "goals", root / "sessions")

    told = list(manifests.missing(root, ["goals", "sessions", "measures"]))

    assert told == [
        "deploy/k8s/platform/kustomization.yaml does not list sessions: add its line.",
        "deploy/k8s/measures is missing: make it as the other services' folders are.",
    ]


def broken(break_it: Break) -> list[Object]:
    objects = deepcopy(manifests.written(manifests.K8S / "goals"))
    assert list(policy.problems(objects)) == []
    break_it(objects)
    return objects


def web(objects: list[Object]) -> Object:
    return next(one for one in objects if policy.name(one) == "Deployment web")


def pod(one: Object) -> Object:
    found: Object = one["spec"]["template"]["spec"]
    return found


def container(objects: list[Object]) -> Object:
    return policy.containers(web(objects))[0]


def secure(objects: list[Object]) -> Object:
    found: Object = container(objects)["securityContext"]
    return found


def spec(objects: list[Object], name: str) -> Object:
    return next(one["spec"] for one in objects if policy.name(one) == name)


def remove(objects: list[Object], kind_and_name: str) -> None:
    kind, _, named = kind_and_name.partition(" ")
    objects[:] = [
        one for one in objects if one["kind"] != kind or (named and one["metadata"]["name"] != named)
    ]


def leave_out(where: Any, path: str) -> None:
    *folders, last = path.split(".")
    for folder in folders:
        where = where[folder]
    del where[last]


def deployments(objects: list[Object]) -> list[Object]:
    return [one for one in objects if one["kind"] == "Deployment"]


def out(workload: Object, objects: list[Object]) -> set[int]:
    """The ports that NetworkPolicies let this workload's pods reach, somewhere."""
    labels = workload["spec"]["template"]["metadata"]["labels"]
    return {
        port["port"]
        for one in objects
        if one["kind"] == "NetworkPolicy" and policy.selected(one["spec"]["podSelector"], labels)
        for rule in one["spec"].get("egress", ())
        for port in rule["ports"]
    }
