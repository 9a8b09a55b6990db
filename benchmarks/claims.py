"""What every benchmark has in common: its claims, its machine, and the one JSON object it prints."""

import argparse
import dataclasses
import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal


@dataclass(frozen=True)
class Claim:
    """A figure and the bound that it has to keep."""

    name: str
    value: float
    bound: Literal["at least", "at most"]
    target: float
    unit: str

    @property
    def held(self) -> bool:
        if self.bound == "at least":
            return self.value >= self.target
        return self.value <= self.target


def at_least(name: str, value: float, target: float, unit: str) -> Claim:
    return Claim(name, round(value, 3), "at least", target, unit)


def at_most(name: str, value: float, target: float, unit: str) -> Claim:
    return Claim(name, round(value, 3), "at most", target, unit)


def options(description: str | None) -> argparse.ArgumentParser:
    """The arguments that every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a small run that proves nothing")
    return parser


def tell(bench: str, claims: Sequence[Claim], details: Mapping[str, Any]) -> None:
    """Prints the whole result as one JSON object."""
    said = [dataclasses.asdict(claim) | {"held": claim.held} for claim in claims]
    print(json.dumps({"bench": bench, "machine": machine(), "claims": said, "details": details}))


def machine() -> dict[str, Any]:
    """`load` is the average of the last minute, the benchmark's own work included."""
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 2),
    }


def processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())


def spread(seconds: Sequence[float]) -> dict[str, float]:
    """Of single waits: how many, their median and their slowest hundredth."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        "count": len(seconds),
        "p50_ms": round(cuts[49] * 1_000, 2),
        "p99_ms": round(cuts[98] * 1_000, 2),
    }
