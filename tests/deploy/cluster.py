"""k8s/base without rendering it: its files are plain objects, and kustomize only adds to them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from tests.deploy.environment import (
    BEATING,
    LIVE,
    PORTS,
    QUEUES,
    READY,
    ROOT,
    VERSION,
    grace_s,
    image_of,
    is_read,
    module_is_there,
    queues_of,
    urls_of,
)
from tests.deploy.images import IMAGES

BASE: Final = ROOT / "k8s" / "base"
Object = dict[str, Any]


@dataclass(frozen=True)
class Cluster:
    """What kustomization.yaml lists, and the ConfigMaps it makes, by their names without hashes."""

    objects: list[Object]
    configs: dict[str, dict[str, str]]

    def of(self, *kinds: str) -> list[Object]:
        return [one for one in self.objects if one["kind"] in kinds]

    def named(self, kind: str, name: str) -> Object:
        return next(one for one in self.of(kind) if one["metadata"]["name"] == name)

    @property
    def workloads(self) -> list[Object]:
        return self.of("Deployment", "StatefulSet")

    def environment(self, workload: Object) -> dict[str, str]:
        container = container_of(workload)
        said: dict[str, str] = {}
        for source in container["envFrom"]:
            said |= self.configs.get(source["configMapRef"]["name"], {})
        return said | {one["name"]: one["value"] for one in container.get("env", [])}


def load(base: Path = BASE) -> Cluster:
    made = yaml.safe_load((base / "kustomization.yaml").read_text(encoding="utf-8"))
    objects = [
        one
        for name in made["resources"]
        for one in yaml.safe_load_all((base / name).read_text(encoding="utf-8"))
    ]
    configs = {
        one["name"]: {k: v for name in one["envs"] for k, v in _lines(base / name)}
        for one in made["configMapGenerator"]
    }
    return Cluster(objects, configs)


def _lines(path: Path) -> list[tuple[str, str]]:
    return re.findall(r"^(\w+)=(.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)


def container_of(workload: Object) -> Any:
    (container,) = pod_of(workload)["containers"]
    return container


def pod_of(workload: Object) -> Any:
    return workload["spec"]["template"]["spec"]


def labels_of(workload: Object) -> Any:
    return workload["spec"]["template"]["metadata"]["labels"]


def name_of(one: Object) -> str:
    name: str = one["metadata"]["name"]
    return name


def complaints(cluster: Cluster) -> Iterator[str]:
    for workload in cluster.workloads:
        for check in OF_WORKLOADS:
            yield from (f"{name_of(workload)} {said}" for said in check(cluster, workload))
    for look in OF_THE_WHOLE:
        yield from look(cluster)


def of_images(_: Cluster, workload: Object) -> Iterator[str]:
    container = container_of(workload)
    image = container["image"].removeprefix("lookalike/").partition(":")[0]
    module = container["args"][0]
    if container["image"] != f"lookalike/{image}:{VERSION}" or image not in IMAGES:
        yield f"runs {container['image']}"
    elif not module_is_there(module) or image_of(module) != image:
        yield f"runs {module}, which is not in its image"
    if "command" in container:
        yield "goes past its image's entry point"


def of_environments(cluster: Cluster, workload: Object) -> Iterator[str]:
    container = container_of(workload)
    missing = {one["configMapRef"]["name"] for one in container["envFrom"]} - cluster.configs.keys()
    yield from (f"wants {name}, which nobody makes" for name in missing)
    given = {
        f"/run/secrets/lookalike/{item['path']}"
        for volume in pod_of(workload)["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }
    files = set()
    for name, value in cluster.environment(workload).items():
        if not is_read(name):
            yield f"is told {name}, which nobody reads"
        if name.endswith("_FILE"):
            files.add(value)
        if re.search("PASSWORD|SECRET_KEY|ADMIN_KEY$", name) or "@" in value:
            yield f"has a secret in {name}"
    if files != given:
        yield f"has other secrets than it reads: {sorted(files ^ given)}"


def of_security(cluster: Cluster, workload: Object) -> Iterator[str]:
    pod, container = pod_of(workload), container_of(workload)
    account = cluster.named("ServiceAccount", pod["serviceAccountName"])
    if pod["automountServiceAccountToken"] or account["automountServiceAccountToken"]:
        yield "may speak with the cluster"
    inside = pod["securityContext"]
    if not inside["runAsNonRoot"] or inside["seccompProfile"] != {"type": "RuntimeDefault"}:
        yield "may be root, or call whatever it likes"
    if str(inside["runAsUser"]) != IMAGES["gateway"].last("USER").partition(":")[0]:
        yield "runs as somebody its image does not know"
    if container["securityContext"] != {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }:
        yield "keeps privileges"
    classes = {name_of(one) for one in cluster.of("PriorityClass")}
    if pod["priorityClassName"] not in classes:
        yield "has a priority that is not there"


def of_resources(_: Cluster, workload: Object) -> Iterator[str]:
    resources = container_of(workload).get("resources", {})
    if not {"cpu", "memory"} <= resources.get("requests", {}).keys():
        yield "asks for nothing"
    if "memory" not in resources.get("limits", {}):
        yield "may take all the memory"
    mounted = {mount["name"] for mount in container_of(workload)["volumeMounts"]}
    if mounted != {volume["name"] for volume in pod_of(workload)["volumes"]}:
        yield "mounts other volumes than it has"
    for volume in pod_of(workload)["volumes"]:
        if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
            yield "may fill the node's disk"


def of_probes(_: Cluster, workload: Object) -> Iterator[str]:
    container = container_of(workload)
    module = container["args"][0]
    asked = {kind: container.get(f"{kind}Probe") for kind in ("startup", "liveness", "readiness")}
    if module in BEATING:
        wanted = {"exec": {"command": ["beats"]}}
        if any(
            asked[kind] is None or not wanted.items() <= asked[kind].items()
            for kind in ("startup", "liveness")
        ):
            yield "does not show that its heart beats"
        return
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    if ports != {"http": PORTS.get(module)}:
        yield f"listens at {ports}"
    for kind, path in (("startup", LIVE), ("liveness", LIVE), ("readiness", READY)):
        probe = asked[kind]
        if probe is None or probe["httpGet"] != {"path": path, "port": "http"}:
            yield f"has a wrong {kind} probe"


def of_ends(_: Cluster, workload: Object) -> Iterator[str]:
    container = container_of(workload)
    module = container["args"][0]
    sleep = container.get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)
    if bool(sleep) is not (module in PORTS):
        yield "goes before its callers know, or waits for nobody"
    if pod_of(workload)["terminationGracePeriodSeconds"] < sleep + grace_s(module) + 10:
        yield "is killed before its grace is over"


def of_company(cluster: Cluster, workload: Object) -> Iterator[str]:
    labels = labels_of(workload)
    if workload["spec"]["selector"]["matchLabels"] != labels:
        yield "does not find its own pods"
    budgets = [
        one
        for one in cluster.of("PodDisruptionBudget")
        if one["spec"]["selector"]["matchLabels"] == labels
    ]
    if len(budgets) != 1 or "maxUnavailable" not in budgets[0]["spec"]:
        yield "has no budget, or one that can block a drain for ever"
    for spread in pod_of(workload)["topologySpreadConstraints"]:
        if spread["labelSelector"]["matchLabels"] != labels:
            yield "spreads somebody else's pods"


def of_services(cluster: Cluster) -> Iterator[str]:
    for service in cluster.of("Service"):
        served = [w for w in cluster.workloads if labels_of(w) == service["spec"]["selector"]]
        (port,) = service["spec"]["ports"]
        if len(served) != 1:
            yield f"{name_of(service)} leads nowhere"
        elif {"name": port["targetPort"], "containerPort": port["port"]} not in container_of(
            served[0]
        )["ports"]:
            yield f"{name_of(service)} leads to a port that nobody listens at"
    known = {name_of(one): one["spec"]["ports"][0]["port"] for one in cluster.of("Service")}
    for config in cluster.configs.values():
        for value in config.values():
            for host, port in urls_of(value):
                if known.get(str(host).rpartition(".")[2]) != port:
                    yield f"there is no service {host}:{port}"


def of_search(cluster: Cluster) -> Iterator[str]:
    search = cluster.named("StatefulSet", "search")
    topology = cluster.configs["topology"]
    pods, groups = search["spec"]["replicas"], int(topology["LOOKALIKE_SEARCH_GROUPS"])
    service = cluster.named("Service", search["spec"]["serviceName"])
    if service["spec"].get("clusterIP") != "None":
        yield "search's pods have no names"
    hosts = [host for host, _ in urls_of(topology["LOOKALIKE_SEARCH_URLS"])]
    if hosts != [f"search-{ordinal}.{name_of(service)}" for ordinal in range(pods)]:
        yield "the gateway does not know the search pods in their order"
    if pods % groups or pods < 2 * groups:
        yield "a group of shards goes away with one pod"
    reconciler = cluster.environment(cluster.named("Deployment", "reconciler"))
    if int(reconciler["LOOKALIKE_SHARDS"]) < groups:
        yield "there are fewer shards than groups"


def of_queues(cluster: Cluster) -> Iterator[str]:
    said = [container_of(workload)["args"] for workload in cluster.workloads]
    workers = [arguments for arguments in said if "worker" in arguments[0]]
    if {queue for arguments in workers for queue in queues_of(arguments)} != QUEUES:
        yield "a queue is listened to by nobody"
    reconciler = cluster.environment(cluster.named("Deployment", "reconciler"))
    embedding = cluster.named("Deployment", "embedder-worker")["spec"]["replicas"]
    if int(reconciler["LOOKALIKE_WORKERS"]) != embedding:
        yield "the reconciler does not know how many workers embed"


def of_priorities(cluster: Cluster) -> Iterator[str]:
    values = {name_of(one): one["value"] for one in cluster.of("PriorityClass")}
    order = [values[f"lookalike-{name}"] for name in ("search", "ingest", "embed")]
    if order != sorted(order, reverse=True):
        yield "searching does not come first"


OF_WORKLOADS: Final[tuple[Callable[[Cluster, Object], Iterator[str]], ...]] = (
    of_images,
    of_environments,
    of_security,
    of_resources,
    of_probes,
    of_ends,
    of_company,
)
OF_THE_WHOLE: Final[tuple[Callable[[Cluster], Iterator[str]], ...]] = (
    of_services,
    of_search,
    of_queues,
    of_priorities,
)
