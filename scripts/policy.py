"""What every Kubernetes manifest of ours must say, whether it is read as it is written or as it is rendered.

A set of objects is what is applied together: every workload of it is selected by NetworkPolicies of it, and
every port that a pod listens on is named by one.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Object = dict[str, Any]

SERVERS = ("Deployment", "StatefulSet", "DaemonSet")
WORKLOADS = (*SERVERS, "Job")
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")
POD: Mapping[str, Any] = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "securityContext.runAsNonRoot": True,
    "securityContext.seccompProfile.type": "RuntimeDefault",
}
CONTAINER: Mapping[str, Any] = {
    "securityContext.allowPrivilegeEscalation": False,
    "securityContext.readOnlyRootFilesystem": True,
    "securityContext.capabilities.drop": ["ALL"],
}
NEVER = (
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "securityContext.privileged",
    "securityContext.capabilities.add",
)
RESOURCES = ("requests.cpu", "requests.memory", "limits.memory")
LOWEST_USER = 10_000
FINISHES_WITHIN = 25
"""Seconds: what gunicorn (20) and the children of a worker (shared/worker.py) get after SIGTERM."""
HEALTH = "health"
"""The port of probes and metrics, which no Service needs."""
OF_EACH_SERVICE = ("Deployment", "Service", "PodDisruptionBudget", "ServiceAccount", "NetworkPolicy")


def problems(objects: Iterable[Object]) -> Iterator[str]:
    """One sentence for each thing that a set of objects lacks, or has and must not."""
    objects = list(objects)
    policies = [one for one in objects if one["kind"] == "NetworkPolicy"]
    for one in objects:
        if one["kind"] in WORKLOADS:
            yield from _workload(one)
            yield from _network(one, policies)
        if one["kind"] == "Deployment":
            yield from _rollout(one, objects)
        if one["kind"] == "Service":
            yield from _service(one)
        if one["kind"] == "Namespace":
            yield from _namespace(one)
    for policy in policies:
        yield from _rules(policy)


def missing(service: str, objects: Iterable[Object]) -> Iterator[str]:
    """What a service's folder lacks, by kind."""
    kinds = {one["kind"] for one in objects}
    for kind in OF_EACH_SERVICE:
        if kind not in kinds:
            yield f"deploy/k8s/{service} has no {kind}: every service has one, by ../shared."


def name(one: Object) -> str:
    return f"{one['kind']} {one['metadata']['name']}"


def selected(selector: Object, labels: Mapping[str, str]) -> bool:
    """Whether a selector finds pods of these labels."""
    wanted = selector.get("matchLabels", {}).items()
    return wanted <= labels.items() and all(
        one["operator"] == "In" and labels.get(one["key"]) in one["values"]
        for one in selector.get("matchExpressions", ())
    )


def containers(one: Object) -> list[Object]:
    pod = one["spec"]["template"]["spec"]
    return [*pod.get("initContainers", ()), *pod["containers"]]


def _workload(one: Object) -> Iterator[str]:
    pod = one["spec"]["template"]["spec"]
    yield from _settings(name(one), pod, POD)
    for volume in pod.get("volumes", ()):
        if "hostPath" in volume:
            yield f"{name(one)} mounts a folder of its node: use a volume."
        if "emptyDir" in volume and "sizeLimit" not in (volume["emptyDir"] or {}):
            yield f"{name(one)} may fill its node by the volume {volume['name']}: set its sizeLimit."
    for container in containers(one):
        yield from _container(f"{name(one)}, container {container['name']},", container)
        if _image(container).startswith("tandem") and not _user(pod, container) >= LOWEST_USER:
            yield f"{name(one)} may run as a user that its node has: set runAsUser to {LOWEST_USER} or above."
    for container in pod["containers"] if one["kind"] in SERVERS else ():
        for probe in PROBES:
            if not container.get(probe):
                yield f"{name(one)}, container {container['name']}, has no {probe}: add it."


def _container(who: str, container: Object) -> Iterator[str]:
    yield from _settings(who, container, CONTAINER)
    for figure in RESOURCES:
        if not _at(container, f"resources.{figure}"):
            yield f"{who} has no resources.{figure}: set it from measured use."
    for port in container.get("ports", ()):
        if "hostPort" in port:
            yield f"{who} opens port {port['hostPort']} of its node: remove hostPort."
    tag = container["image"].partition("@")[0].rpartition("/")[2].partition(":")[2]
    if "@sha256:" not in container["image"] and tag in ("", "latest"):
        yield f"{who} runs {container['image']}, which may be another image tomorrow: name a release."


def _settings(who: str, where: Object, wanted: Mapping[str, Any]) -> Iterator[str]:
    for path, value in wanted.items():
        if _at(where, path) != value:
            yield f"{who} does not set {path} to {value}: set it."
    for path in NEVER:
        if _at(where, path):
            yield f"{who} sets {path}: remove it."


def _rollout(one: Object, objects: list[Object]) -> Iterator[str]:
    spec, pod = one["spec"], one["spec"]["template"]["spec"]
    if _at(spec, "strategy.rollingUpdate.maxUnavailable") != 0 or not spec.get("minReadySeconds"):
        yield f"{name(one)} may be away during a rollout: set maxUnavailable 0 and minReadySeconds."
    pause = max(_at(container, "lifecycle.preStop.sleep.seconds") or 0 for container in pod["containers"])
    if pod.get("terminationGracePeriodSeconds", 30) <= pause + FINISHES_WITHIN:
        yield f"{name(one)} may be killed while it finishes: allow more than {pause + FINISHES_WITHIN} s."
    called = bool(_ports(one).keys() - {HEALTH})
    for kind in ("PodDisruptionBudget", "Service") if called else ("PodDisruptionBudget",):
        if not any(other["kind"] == kind and selected(_selector(other), _labels(one)) for other in objects):
            yield f"{name(one)} has no {kind} that selects its pods: add it."
    if called and not pause:
        yield f"{name(one)} refuses connections while it leaves its Service: add a preStop sleep."


def _service(one: Object) -> Iterator[str]:
    kind = one["spec"].get("type", "ClusterIP")
    if kind != "ClusterIP":
        yield f"{name(one)} is a {kind}, open to whoever reaches a node: leave it a ClusterIP."
    if one["spec"].get("externalIPs"):
        yield f"{name(one)} has externalIPs: remove them."


def _namespace(one: Object) -> Iterator[str]:
    if one["metadata"].get("labels", {}).get("pod-security.kubernetes.io/enforce") != "restricted":
        yield f"{name(one)} does not enforce Pod Security restricted: label it."


def _network(one: Object, policies: list[Object]) -> Iterator[str]:
    selecting = [policy for policy in policies if selected(policy["spec"]["podSelector"], _labels(one))]
    for way in ("Ingress", "Egress"):
        if not any(way in policy["spec"].get("policyTypes", ()) for policy in selecting):
            yield f"{name(one)} has no NetworkPolicy for {way}, so all of it is allowed: add one."
    named = {
        port["port"] for policy in selecting for rule in _ingress(policy) for port in rule.get("ports", ())
    }
    for label, port in _ports(one).items():
        if not named & {label, port}:
            yield f"{name(one)} listens on port {port}, which no NetworkPolicy names: do so or close it."


def _rules(policy: Object) -> Iterator[str]:
    for rule in [*_ingress(policy), *(policy["spec"].get("egress") or ())]:
        if not rule.get("ports"):
            yield f"{name(policy)} has a rule that opens every port: name them."


def _ingress(policy: Object) -> list[Object]:
    return policy["spec"].get("ingress") or []


def _ports(one: Object) -> dict[str, int]:
    found = [port for container in containers(one) for port in container.get("ports", ())]
    return {port.get("name", str(port["containerPort"])): port["containerPort"] for port in found}


def _labels(one: Object) -> dict[str, str]:
    labels: dict[str, str] = one["spec"]["template"]["metadata"].get("labels", {})
    return labels


def _selector(one: Object) -> Object:
    """Of a Service or of anything newer."""
    selector: Object = one["spec"].get("selector") or {}
    return {"matchLabels": selector} if one["kind"] == "Service" else selector


def _image(container: Object) -> str:
    return str(container["image"].rpartition("/")[2])


def _user(pod: Object, container: Object) -> int:
    return _at(container, "securityContext.runAsUser") or _at(pod, "securityContext.runAsUser") or 0


def _at(where: Any, path: str) -> Any:
    for key in path.split("."):
        where = (where or {}).get(key)
    return where
