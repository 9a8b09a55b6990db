"""docker-compose.yml, and what is wrong with it that its schema cannot know."""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import yaml

from tests.deploy.environment import (
    BEATING,
    PORTS,
    QUEUES,
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

FILE: Final = ROOT / "docker-compose.yml"
_VARIABLE: Final = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")
Compose = dict[str, Any]


def load() -> Compose:
    found: Compose = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return found


def variables(text: str) -> set[str]:
    return {match[1] for match in _VARIABLE.finditer(text)}


def filled(value: object) -> str:
    """With the default of every variable, or a word where there is none."""
    return _VARIABLE.sub(lambda found: found[3] if found[2] == "-" else "secret", str(value))


def ours(compose: Compose) -> dict[str, Any]:
    return {name: service for name, service in compose["services"].items() if "build" in service}


def environment(service: Any) -> dict[str, str]:
    return {name: filled(value) for name, value in service.get("environment", {}).items()}


def arguments(service: Any) -> list[str]:
    """The module and what is said to it, by the service or by its image."""
    image = filled(service["image"]).rpartition("/")[2].partition(":")[0]
    return service.get("command") or IMAGES[image].command


def complaints(compose: Compose) -> Iterator[str]:
    for check in CHECKS:
        yield from check(compose)


def of_every_service(compose: Compose) -> Iterator[str]:
    for name, service in compose["services"].items():
        limits = service.get("deploy", {}).get("resources", {}).get("limits", {})
        if not {"cpus", "memory", "pids"} <= limits.keys():
            yield f"{name} has no limits"
        if service.get("cap_drop") != ["ALL"] or service.get("privileged"):
            yield f"{name} keeps capabilities"
        if "no-new-privileges:true" not in service.get("security_opt", []):
            yield f"{name} may gain privileges"
        if service.get("restart") != "unless-stopped":
            yield f"{name} does not come back"
        if not re.search(r":v?\d", filled(service["image"])):
            yield f"{name} runs no version in particular"
        if "build" not in service and "healthcheck" not in service:
            yield f"{name} is never asked whether it is well"
        for other, how in service.get("depends_on", {}).items():
            if other not in compose["services"] or how != {"condition": "service_healthy"}:
                yield f"{name} does not wait until {other} is well"


def of_our_services(compose: Compose) -> Iterator[str]:
    for name, service in ours(compose).items():
        module = arguments(service)[0]
        recipe = service["build"]["dockerfile"]
        image = recipe.removeprefix("docker/").removesuffix(".Dockerfile")
        if filled(service["image"]) != f"lookalike/{image}:{VERSION}":
            yield f"{name} names its image {service['image']}"
        if not module_is_there(module) or image_of(module) != image:
            yield f"{name} runs {module}, which is not in its image"
        if not service.get("read_only"):
            yield f"{name} may write into its image"
        if float(service.get("stop_grace_period", "0s").removesuffix("s")) < grace_s(module) + 10:
            yield f"{name} is killed before its grace is over"
        told = service.get("healthcheck", {}).get("test", ["CMD", *image_test(image)])
        if (told[1] == "beats") is not (module in BEATING):
            yield f"{name} is asked by {told[1]}"
        if "LOOKALIKE_BLOBS" in environment(service) and not service.get("volumes"):
            yield f"{name} has no room for what it reads and writes"


def image_test(image: str) -> list[str]:
    return re.findall(r'"([^"]+)"', IMAGES[image].last("HEALTHCHECK"))


def of_the_environment(compose: Compose) -> Iterator[str]:
    for name, service in ours(compose).items():
        for variable, value in environment(service).items():
            if not is_read(variable):
                yield f"{name} is told {variable}, which nobody reads"
            for host, port in urls_of(value):
                if host not in compose["services"]:
                    yield f"{name}: {variable} leads to {host}"
                elif (
                    host in ours(compose) and port != PORTS[arguments(compose["services"][host])[0]]
                ):
                    yield f"{name}: {variable} leads to port {port} of {host}"


def of_volumes(compose: Compose) -> Iterator[str]:
    mounts = [mount for one in compose["services"].values() for mount in one.get("volumes", [])]
    sources = [mount.partition(":")[0] for mount in mounts if ":" in mount]
    if sorted(one for one in sources if not one.startswith(".")) != sorted(compose["volumes"]):
        yield "volumes are shared, missing or left over"
    files = (one for one in sources if one.startswith("."))
    yield from (f"there is no {file}" for file in files if not (ROOT / file).exists())


def of_search(compose: Compose) -> Iterator[str]:
    asking = environment(compose["services"]["gateway"])
    urls = urls_of(asking["LOOKALIKE_SEARCH_URLS"])
    groups = int(asking["LOOKALIKE_SEARCH_GROUPS"])
    searching = {
        name: environment(service)
        for name, service in ours(compose).items()
        if arguments(service)[0] == "services.search.serve"
    }
    by_ordinal = sorted(searching, key=lambda name: searching[name]["LOOKALIKE_SEARCH_ORDINAL"])
    if [host for host, _ in urls] != by_ordinal:
        yield "the gateway does not know the search processes in their order"
    if {said["LOOKALIKE_SEARCH_GROUPS"] for said in searching.values()} != {str(groups)}:
        yield "search and the gateway divide shards differently"
    ordinals = {int(said["LOOKALIKE_SEARCH_ORDINAL"]) for said in searching.values()}
    if {ordinal % groups for ordinal in ordinals} != set(range(groups)):
        yield "a group of shards is held by nobody"
    if int(environment(compose["services"]["reconciler"])["LOOKALIKE_SHARDS"]) < groups:
        yield "there are fewer shards than groups"


def of_queues(compose: Compose) -> Iterator[str]:
    workers = [said for one in ours(compose).values() if "worker" in (said := arguments(one))[0]]
    heard = [queue for said in workers for queue in queues_of(said)]
    if set(heard) != QUEUES:
        yield f"only {sorted(set(heard))} are listened to"
    embedding = [said for said in workers if said[0] == "services.embedder.worker"]
    told = environment(compose["services"]["reconciler"])["LOOKALIKE_WORKERS"]
    if int(told) != len(embedding):
        yield "the reconciler does not know how many workers embed"


def of_redis(compose: Compose) -> Iterator[str]:
    gateway = environment(compose["services"]["gateway"])
    queue, cache = gateway["LOOKALIKE_QUEUE"], gateway["LOOKALIKE_CACHE"]
    if urls_of(queue)[0] == urls_of(cache)[0]:
        yield "the cache may push rings out of the queue"
    command = " ".join(compose["services"][urls_of(queue)[0][0]]["command"])
    if "--appendonly yes" not in command or "--maxmemory-policy noeviction" not in command:
        yield "the queue may forget"


CHECKS: Final[tuple[Callable[[Compose], Iterator[str]], ...]] = (
    of_every_service,
    of_our_services,
    of_the_environment,
    of_volumes,
    of_search,
    of_queues,
    of_redis,
)
