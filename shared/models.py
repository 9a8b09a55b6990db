"""Models that an installation brings, and those that a tenant registered beside them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shared.errors import Conflict, Invalid, NotFound
from shared.spaces import Spaces

REGISTRATION: Final = "model"
"""The kind of job that tries a model and registers it; its `progress` names the source, then the model."""
MODEL_ID: Final = "mdl_"
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class BundledModel:
    """One that whoever embeds has without being given it; nobody registers or removes it."""

    name: str
    """By which people and settings call it."""
    spaces: Spaces
    manifest: Mapping[str, Any]
    """`model.json` as it lies there."""


@dataclass(frozen=True, slots=True)
class RegisteredModel:
    """A model's folder as an archive among the blobs, and what is to be known of it without that.

    No two of a tenant have the same name and version; its vectors are what `spaces` names.
    """

    model_id: str
    tenant: str
    name: str
    version: str
    spaces: Spaces
    archive: str
    """Blob key."""
    sha256: str
    """Of the archive."""
    size: int
    """Of the archive, in bytes."""
    created: int
    manifest: Mapping[str, Any] = field(default_factory=dict)
    """`model.json` as it lies in the archive."""

    @property
    def fingerprint(self) -> str:
        return self.spaces.fingerprint

    @property
    def title(self) -> str:
        """`NAME@VERSION`, by which people and settings call it."""
        return f"{self.name}@{self.version}"


def names_registered(name: str) -> bool:
    """Whether it is an id or `NAME@VERSION`, as no bundled model is called."""
    return name.startswith(MODEL_ID) or "@" in name


def unknown_model(name: str, known: Iterable[str]) -> NotFound:
    """For whoever asks for a model that is not there, with the names of those that are."""
    told = ", ".join(known) or "none"
    return NotFound(f"There is no model {name!r} here; there are: {told}.", code="no_such_model")


def bundled_stays(name: str) -> Conflict:
    return Conflict(
        f"{name!r} is bundled: it comes with the installation and cannot be removed.",
        code="bundled_model",
    )


def check_names(name: str, version: str) -> None:
    """Raises `Invalid` for what could not be told apart in `NAME@VERSION`, or is no part of a path."""
    for what, said in (("name", name), ("version", version)):
        if not _NAME.fullmatch(said):
            raise Invalid(
                f"{said[:80]!r} is no {what} of a model: it has up to 64 letters, digits, `.`, `_` "
                "and `-`, the first of them a letter or a digit.",
                code="bad_model",
            )


def check_same(there: RegisteredModel, wanted: RegisteredModel) -> RegisteredModel:
    """The one that is there; raises `Conflict` where it gives other vectors than was wanted."""
    if there.fingerprint != wanted.fingerprint:
        raise Conflict(
            f"{there.title} is registered with the fingerprint {there.fingerprint}, and this model "
            f"has {wanted.fingerprint}: give it another version.",
            code="model_exists",
        )
    return there


def registration_lease(job_id: str) -> str:
    """Held by whoever is at a registration."""
    return f"model/{job_id}"
