"""k8s/base is valid by Kubernetes' own schemas, and what it says fits the code."""

from collections.abc import Callable
from typing import Any

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml

from tests.deploy.cluster import BASE, Cluster, complaints, container_of, load, name_of, pod_of
from tests.deploy.environment import ROOT, SOURCES

OLDEST = "1.30"
"""The first whose containers can sleep before they stop, without being told to."""
NEWEST = kubernetes_validate.latest_version()


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("one", load().objects, ids=lambda one: f"{one['kind']}-{name_of(one)}")
def test_an_object_is_valid(one: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(one, version, strict=True)


def test_it_makes_sense() -> None:
    assert list(complaints(load())) == []


def test_every_file_is_used() -> None:
    made = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    inputs = {name for one in made["configMapGenerator"] for name in one["envs"]}
    used = {"kustomization.yaml", *made["resources"], *inputs}
    assert {path.name for path in BASE.iterdir()} == used


def test_kustomize_is_asked_for_nothing_that_this_test_cannot_see() -> None:
    made = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    assert set(made) == {"apiVersion", "kind", "namespace", "resources", "configMapGenerator"}
    assert made["namespace"] == name_of(load().of("Namespace")[0])


def test_a_process_has_no_secret_that_it_does_not_need() -> None:
    cluster = load()
    told = {name_of(one): set(cluster.environment(one)) for one in cluster.workloads}
    assert [name for name, said in told.items() if "LOOKALIKE_GATEWAY_ADMIN_KEY_FILE" in said] == [
        "gateway"
    ]
    assert {name for name in told["embedder-http"] if name.endswith("_FILE")} == {
        "LOOKALIKE_CATALOGUE_FILE",
        "LOOKALIKE_BLOBS_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
    }


def test_whoever_takes_from_elsewhere_is_told_from_where() -> None:
    cluster = load()
    told = {name_of(one): SOURCES & set(cluster.environment(one)) for one in cluster.workloads}
    assert {name: said for name, said in told.items() if said} == {
        "gateway": SOURCES,
        "embedder-worker": SOURCES,
        "trainer": SOURCES,
    }


def test_every_key_of_the_secret_is_told_to_the_operator() -> None:
    keys = {
        item["key"]
        for one in load().workloads
        for volume in pod_of(one)["volumes"]
        for item in volume.get("secret", {}).get("items", [])
    }
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {key for key in keys if f"--from-literal={key}=" not in page} - {
        "s3-credentials"
    } == set()
    assert "--from-file=s3-credentials" in page


def workload(cluster: Cluster, name: str) -> Any:
    return next(one for one in cluster.workloads if name_of(one) == name)


def container(cluster: Cluster, name: str) -> Any:
    return container_of(workload(cluster, name))


def misspelt(cluster: Cluster) -> None:
    cluster.configs["lookalike"]["LOOKALIKE_LOGLEVEL"] = "INFO"


def open_secret(cluster: Cluster) -> None:
    url = {"name": "LOOKALIKE_QUEUE", "value": "redis://:secret@redis:6379/0"}
    container(cluster, "builder")["env"].append(url)


def unread_secret(cluster: Cluster) -> None:
    container(cluster, "search")["env"].pop()


def no_such_config(cluster: Cluster) -> None:
    container(cluster, "gateway")["envFrom"][0]["configMapRef"]["name"] = "lookalikes"


def no_such_module(cluster: Cluster) -> None:
    container(cluster, "gateway")["args"][0] = "services.gateway.server"


def anothers_module(cluster: Cluster) -> None:
    container(cluster, "gateway")["args"][0] = "services.search.serve"


def latest(cluster: Cluster) -> None:
    container(cluster, "search")["image"] = "lookalike/search:latest"


def unlimited(cluster: Cluster) -> None:
    del container(cluster, "search")["resources"]["limits"]


def writable(cluster: Cluster) -> None:
    container(cluster, "search")["securityContext"]["readOnlyRootFilesystem"] = False


def token(cluster: Cluster) -> None:
    pod_of(workload(cluster, "indexer-worker"))["automountServiceAccountToken"] = True


def wrong_port(cluster: Cluster) -> None:
    container(cluster, "search")["ports"][0]["containerPort"] = 8080


def python_to_ask(cluster: Cluster) -> None:
    container(cluster, "builder")["livenessProbe"]["exec"]["command"] = ["python", "-c", "0"]


def ready_means_live(cluster: Cluster) -> None:
    container(cluster, "gateway")["readinessProbe"]["httpGet"]["path"] = "/livez"


def impatient(cluster: Cluster) -> None:
    pod_of(workload(cluster, "embedder-worker"))["terminationGracePeriodSeconds"] = 20


def fifth_pod(cluster: Cluster) -> None:
    workload(cluster, "search")["spec"]["replicas"] = 5


def third_group(cluster: Cluster) -> None:
    cluster.configs["topology"]["LOOKALIKE_SEARCH_GROUPS"] = "3"


def unheard(cluster: Cluster) -> None:
    container(cluster, "builder")["args"][2] = "index"


def more_workers(cluster: Cluster) -> None:
    workload(cluster, "embedder-worker")["spec"]["replicas"] = 8


def blocked_drain(cluster: Cluster) -> None:
    budget = cluster.named("PodDisruptionBudget", "builder")
    budget["spec"] = {"minAvailable": 1, "selector": budget["spec"]["selector"]}


def lost_service(cluster: Cluster) -> None:
    cluster.named("Service", "embedder-http")["metadata"]["name"] = "embedder"


def upside_down(cluster: Cluster) -> None:
    cluster.named("PriorityClass", "lookalike-embed")["value"] = 400_000


MISTAKES: list[Callable[[Cluster], None]] = [
    *(misspelt, open_secret, unread_secret, no_such_config, no_such_module, anothers_module),
    *(latest, unlimited, writable, token, wrong_port, python_to_ask, ready_means_live, impatient),
    *(fifth_pod, third_group, unheard, more_workers, blocked_drain, lost_service, upside_down),
]


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__)
def test_a_mistake_is_noticed(mistake: Callable[[Cluster], None]) -> None:
    cluster = load()
    mistake(cluster)
    assert len(list(complaints(cluster))) > 0


def test_the_schemas_notice_a_mistake() -> None:
    for key, value in (("replica", 2), ("replicas", "two"), ("selector", "gateway")):
        gateway = workload(load(), "gateway")
        gateway["spec"][key] = value
        with pytest.raises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(gateway, NEWEST, strict=True)
