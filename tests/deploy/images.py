"""Dockerfiles as what they say: instructions, and what of the project each lets in."""

import ast
import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any, Final

from tests.deploy.environment import ROOT

FILES: Final = sorted((ROOT / "docker").glob("*.Dockerfile"))
_CONTINUED: Final = re.compile(r"\\\n")
_OURS: Final = ("services", "shared")


@dataclass(frozen=True)
class Image:
    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, instruction: str) -> list[str]:
        return [rest for word, rest in self.instructions if word == instruction]

    def last(self, instruction: str) -> str:
        return self.all(instruction)[-1]

    @property
    def sources(self) -> set[str]:
        """What it takes from the project's folder."""
        copies = [rest.split() for rest in self.all("COPY") if not rest.startswith("--from=")]
        return {source for words in copies for source in words[:-1]}

    @property
    def port(self) -> int | None:
        exposed = self.all("EXPOSE")
        return int(exposed[0]) if exposed else None

    @property
    def command(self) -> list[str]:
        """Empty where a shell would run it."""
        said = self.last("CMD")
        return [str(word) for word in json.loads(said)] if said.startswith("[") else []

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for rest in self.all("ENV") for word in rest.split())

    @property
    def groups(self) -> set[str]:
        return {group for rest in self.all("RUN") for group in re.findall(r"--group (\w+)", rest)}


def read(path: Path) -> Image:
    text = re.sub(r"^#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = _CONTINUED.sub(" ", text).splitlines()
    words = (line.split(maxsplit=1) for line in lines if line.strip())
    return Image(path.stem, tuple((word, " ".join(rest.split())) for word, rest in words))


IMAGES: Final = {image.name: image for image in map(read, FILES)}


def libraries_of(groups: set[str]) -> set[str]:
    """The modules that an installation of these groups can import, by the lock."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
    packages: dict[str, Any] = {package["name"]: package for package in lock}
    project = packages["lookalike"]
    waiting = [*project["dependencies"]]
    for group in groups:
        waiting += project["dev-dependencies"][group]
    found: set[tuple[str, str]] = set()
    while waiting:
        wanted = waiting.pop()
        package = packages[wanted["name"]]
        for extra in {"", *wanted.get("extra", [])} - {
            e for name, e in found if name == wanted["name"]
        }:
            found.add((wanted["name"], extra))
            optional = package.get("optional-dependencies", {}).get(extra, [])
            waiting += optional if extra else package.get("dependencies", [])
    installed = {name for name, _ in found}
    return {
        module
        for module, names in packages_distributions().items()
        if installed & {re.sub(r"[-_.]+", "-", name).lower() for name in names}
    }


def imported_by(root: str) -> tuple[set[str], set[str]]:
    """Everything that a module may come to import: our modules, and others' by their first name."""
    ours: set[str] = set()
    others: set[str] = set()
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name.partition(".")[0] not in _OURS:
            others.add(name.partition(".")[0])
        elif name not in ours and (path := _file(name)):
            ours.add(name)
            waiting += _imports(ast.parse(path.read_text(encoding="utf-8")))
            waiting += [name.rpartition(".")[0]] if "." in name else []
    return ours, others


def _file(name: str) -> Path | None:
    path = ROOT / name.replace(".", "/")
    return next((p for p in (path / "__init__.py", path.with_suffix(".py")) if p.exists()), None)


def _imports(node: ast.AST) -> Iterator[str]:
    """Those inside functions too; not those that only types are checked with."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names):
            yield module
            if module.partition(".")[0] in _OURS:
                yield from (f"{module}.{alias.name}" for alias in names)
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return
        case _:
            for child in ast.iter_child_nodes(node):
                yield from _imports(child)
