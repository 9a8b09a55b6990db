import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
MODULES: Final = {"celery[redis]": "celery", "redis": "redis"}
"""Of the group `distributed`, where a module is not called as its distribution."""


def test_the_demo_imports_nothing_that_only_separate_services_install() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))[
        "dependency-groups"
    ]
    embedded = {
        one for name in ("gateway", "embedder", "indexer", "search") for one in groups[name]
    }
    named = {one.partition(">")[0] for one in groups["distributed"] if one not in embedded}
    apart = {MODULES.get(name, name) for name in named} - {"starlette", "uvicorn"}
    assert {"celery", "redis", "elasticsearch", "s3fs"} <= apart
    probe = "import sys, lookalike.demo; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run(
        [sys.executable, "-c", probe], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert not apart & set(loaded.stdout.split())
